"""What keeps a call from being dialled: lists, destinations and lines that are full. Each refusal has a code of its own."""
