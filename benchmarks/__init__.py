"""One script per figure; each prints its conditions and a ratio against a floor or peer measured in the same run."""
