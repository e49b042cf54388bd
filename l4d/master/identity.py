"""Whom the workers become: main.user and main.group, looked up."""

import grp
import os
import pwd

from l4d.child.assignment import Identity
from l4d.config.model import Main
from l4d.errors import StartError
from l4d.linux import process


def find(settings: Main) -> Identity | None:
    """The identity for workers; None: they stay who the master is. Raises StartError: no such user or group."""
    if not settings.user:
        return None
    try:
        user = pwd.getpwnam(settings.user)
    except KeyError:
        raise StartError(f"main.user: there is no user '{settings.user}' on this machine") from None
    try:
        gid = grp.getgrnam(settings.group).gr_gid if settings.group else user.pw_gid
    except KeyError:
        raise StartError(f"main.group: there is no group '{settings.group}' on this machine") from None
    if not process.can_change_user():
        if user.pw_uid == os.geteuid():
            return None
        raise StartError(f"main.user: only root can become '{settings.user}'; start as root, or leave the key out")
    return Identity(user.pw_uid, gid)
