"""Real clients and servers with l4d between them."""
