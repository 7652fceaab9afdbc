"""The process that talks to the switches: one owner per node, at the edge of everything pure."""
