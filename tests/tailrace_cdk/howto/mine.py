"""The stack ``tailrace-mine``: a tailer in an existing VPC, without what the emulator's CloudFormation does not know."""

from collections.abc import Mapping

from botocore.exceptions import ClientError

from tailrace.dev.aws import Aws
from tailrace_cdk.synthesis.synthesis import Synthesised
from tests.tailrace_cdk.deployment import LEFT_OUT, bootstrap, deploy, publish, without

NOT_HERE = {
    *LEFT_OUT,
    "AWS::CloudWatch::Alarm",  # the emulator has no alarms on metric math
    "AWS::CloudWatch::Dashboard",  # it names the alarms
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    "Custom::ChangeStreams",  # a task of the tailer's image, which needs a database
}


def outputs_of(aws: Aws, made: Synthesised) -> Mapping[str, str]:
    """Return the outputs of the stack, which is deployed if it does not exist."""
    try:
        [found] = aws("cloudformation").describe_stacks(StackName=made.stack)["Stacks"]
        return {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}
    except ClientError:
        bootstrap(aws)
        publish(aws, made.file.parent, made.stack)
        return deploy(aws, made.stack, without(made.template, NOT_HERE)).outputs
