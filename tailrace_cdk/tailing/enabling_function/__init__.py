"""What CloudFormation asks to enable change streams: one file, which runs on what Lambda's own runtime has."""
