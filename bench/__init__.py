"""l4d beside nginx and HAProxy: one run, rounds that alternate, ratios taken round by round.

__main__ -> run                       what was asked for; every scenario at every place
scenarios/*                           one kind of work a file
redis | web | dns | iperf | udp       the public load makers and their servers, and ours
candidates | places                   who is measured, and where
rounds | results                      in which order; what came of it, the ratios
report | chart                        what is shown
load_*                                the small load makers of our own, each a process of its own
"""
