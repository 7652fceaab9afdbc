"""Call detail records: stored as they come, worked off later, compared with what the events told."""
