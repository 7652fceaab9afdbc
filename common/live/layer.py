"""Channels' layer, as configured."""

from channels.layers import BaseChannelLayer, get_channel_layer


def channel_layer() -> BaseChannelLayer:
    """Return the configured channel layer."""
    layer = get_channel_layer()
    if layer is None:
        raise RuntimeError("CHANNEL_LAYERS has no default.")
    return layer
