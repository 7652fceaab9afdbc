"""A FreeSWITCH to play with: speaks Event Socket as the recorded traces show, calls end as their last digits say."""
