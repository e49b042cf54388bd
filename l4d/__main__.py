"""`python -m l4d` is the command `l4d`."""

from l4d.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
