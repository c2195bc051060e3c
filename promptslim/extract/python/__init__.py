"""Python source to calls: parsing, scopes, on-demand evaluation, recognition of LLM calls."""
