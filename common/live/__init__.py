"""Live events: the only door to the channel layer. A doorbell: nothing depends on its arriving, once, or in order."""

from common.live.publish import LiveEvent, flush, publish_on_commit
from common.live.topics import process_topic, topic

__all__ = ["LiveEvent", "flush", "process_topic", "publish_on_commit", "topic"]
