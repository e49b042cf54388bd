"""l4d: a Layer-4 proxy and load balancer for Linux."""

__version__ = "0.1.0.dev0"
