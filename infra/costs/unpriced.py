"""Resource types that a month's bill has a line for, and those that it has none for, by why. A test knows no third kind."""

PRICED = frozenset(
    {
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::DocDB::DBInstance",
        "AWS::EC2::EIP",
        "AWS::EC2::NatGateway",
        "AWS::EC2::VPCEndpoint",
        "AWS::ECS::Service",
        "AWS::KMS::Key",
        "AWS::SecretsManager::Secret",
    }
)
"""What ``standing`` has lines for."""

UNPRICED: dict[str, tuple[str, ...]] = {
    "costs by what passes through it, which is in the lines of traffic": (
        "AWS::DynamoDB::Table",
        "AWS::Events::Archive",
        "AWS::Events::EventBus",
        "AWS::Events::Rule",
        "AWS::EventsV2::EventBus",
        "AWS::EventsV2::Subscriber",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::Function",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::SQS::Queue",
    ),
    "costs by its instances, tasks, storage and I/O, which have lines": (
        "AWS::DocDB::DBCluster",
        "AWS::ECS::Cluster",
        "AWS::ECS::TaskDefinition",
    ),
    "next to nothing: it works for seconds in a deployment, or writes a few lines or mails": (
        "AWS::EC2::FlowLog",
        "AWS::SNS::Subscription",
        "AWS::SNS::Topic",
        "AWS::Scheduler::Schedule",
        "Custom::AdminSecret",
        "Custom::ChangeStreams",
    ),
    "free": (
        "AWS::CloudFormation::CustomResource",
        "AWS::DocDB::DBClusterParameterGroup",
        "AWS::DocDB::DBSubnetGroup",
        "AWS::EC2::InternetGateway",
        "AWS::EC2::Route",
        "AWS::EC2::RouteTable",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::Subnet",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPC",
        "AWS::EC2::VPCGatewayAttachment",
        "AWS::EventSchemas::Registry",
        "AWS::EventSchemas::Schema",
        "AWS::Events::EventBusPolicy",
        "AWS::EventsV2::ResourcePolicy",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::Permission",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
    ),
}
