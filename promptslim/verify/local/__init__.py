"""A server on this machine that speaks the protocol of Amazon Bedrock, for tests and demonstrations without an account.

It serves Converse, InvokeModel, their streams and CountTokens, batch inference with the S3 objects that it needs,
prompt caching, quotas and faults. Answers come from a script or from a small real model.
"""
