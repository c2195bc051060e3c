"""Reports of comparisons of prompts, of plans, and of what has a proof."""
