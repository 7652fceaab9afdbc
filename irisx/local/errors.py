"""What can go wrong before there is a product to report it."""


class StartError(Exception):
    """The local servers or the demo cannot start; the message is one sentence for the person at the terminal."""
