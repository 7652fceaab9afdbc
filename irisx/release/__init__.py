"""What a release needs before it may serve: `manage.py release check`, and the truth about what stands on the disk."""
