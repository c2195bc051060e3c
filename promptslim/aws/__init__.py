"""Amazon Web Services: the only importer of boto3, which is the extra ``bedrock`` and is loaded when first used."""
