"""What can go wrong between us and a switch."""


class EslError(Exception):
    """Root of everything the Event Socket client raises."""


class BadAddress(EslError):
    """FREESWITCH_URL doesn't read as esl://[user]:password@host:port[,…]."""


class UnsafeValue(EslError):
    """A value may not enter a command: it holds what the switch would interpret."""


class SignInRefused(EslError):
    """The switch refused the password, the user or this address."""


class LinkLost(EslError):
    """The link closed, or fell silent for too long."""


class NotSent(EslError):
    """The command never left this process: repeating it is safe."""


class Unconfirmed(EslError):
    """The command may have reached the switch, its reply did not reach us: find out before repeating anything."""
