"""The function that enables change streams for CloudFormation: one file, which needs only Lambda's runtime."""
