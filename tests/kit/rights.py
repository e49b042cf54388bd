"""Who we are, for tests that need root."""

import os

import pytest

NOBODY = 65534

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
