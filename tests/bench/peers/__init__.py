"""What others would use, driven by the same loop: with an adapter for its protocol, at a server as its manual shows."""
