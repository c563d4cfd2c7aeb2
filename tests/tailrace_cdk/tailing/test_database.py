"""The database is encrypted and private, and keeps its history as long as the environment says."""

import pytest
from aws_cdk.assertions import Template

from tailer.mongodb.connection.uri import encrypted, names_a_user, option
from tests.tailrace_cdk.template import (
    EXISTING_DATABASE,
    EXISTING_VPC,
    HOST,
    SECRET,
    container,
    of_type,
    only,
    stack,
    variables,
)

CLUSTER = "AWS::DocDB::DBCluster"


@pytest.fixture(scope="module")
def made() -> Template:
    return stack()


@pytest.fixture(scope="module")
def existing() -> Template:
    return stack(network=EXISTING_VPC, database=EXISTING_DATABASE)


def test_cluster_keeps_changes_as_long_as_configured() -> None:
    """The tailer gets the same value, since DocumentDB does not report it."""
    template = stack(database={"history_seconds": 259_200})
    parameters = only(template, "AWS::DocDB::DBClusterParameterGroup")
    assert parameters["Parameters"]["change_stream_log_retention_duration"] == "259200"
    assert variables(template)["TAILER_HISTORY_SECONDS"] == "259200"


def test_cluster_accepts_only_encrypted_connections(made: Template) -> None:
    """TLS 1.2 or newer. Storage is encrypted too."""
    assert only(made, "AWS::DocDB::DBClusterParameterGroup")["Parameters"]["tls"] == "tls1.2+"
    assert only(made, CLUSTER)["StorageEncrypted"] is True


def test_administrator_password_is_in_no_template(made: Template) -> None:
    """DocumentDB creates it as a secret and rotates it."""
    cluster = only(made, CLUSTER)
    assert cluster["ManageMasterUserPassword"] is True
    assert "MasterUserPassword" not in cluster


def test_audit_log_expires(made: Template) -> None:
    """It is created before DocumentDB writes to it, and contains no documents."""
    cluster = made.find_resources(CLUSTER)
    [(_, resource)] = cluster.items()
    assert resource["Properties"]["EnableCloudwatchLogsExports"] == ["audit"]
    logs = of_type(made, "AWS::Logs::LogGroup")
    [name] = [name for name in logs if name.startswith("DatabaseAudit")]
    assert logs[name] == {"LogGroupName": "/aws/docdb/tailrace-test/audit", "RetentionInDays": 90}
    assert name in resource["DependsOn"]
    assert only(made, "AWS::DocDB::DBClusterParameterGroup")["Parameters"]["audit_logs"] == "ddl"


def test_only_tailers_can_connect(made: Template) -> None:
    """To the database's port, by their security group."""
    rules = of_type(made, "AWS::EC2::SecurityGroupIngress").values()
    [rule] = [rule for rule in rules if "Database" in rule["GroupId"]["Fn::GetAtt"][0]]
    assert (rule["FromPort"], rule["ToPort"]) == (27017, 27017)
    assert "ServiceSecurityGroup" in rule["SourceSecurityGroupId"]["Fn::GetAtt"][0]
    assert "SecurityGroupIngress" not in only(made, "AWS::EC2::SecurityGroup", "Database")


def test_database_connects_only_to_endpoints(made: Template) -> None:
    """By a rule inside its security group: without an inline rule EC2 allows everything."""
    [rule] = only(made, "AWS::EC2::SecurityGroup", "Database")["SecurityGroupEgress"]
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 443, 443)
    assert rule["CidrIp"] == {"Fn::GetAtt": [next(iter(of_type(made, "AWS::EC2::VPC"))), "CidrBlock"]}
    others = of_type(made, "AWS::EC2::SecurityGroupEgress").values()
    assert not [other for other in others if "Database" in other["GroupId"]["Fn::GetAtt"][0]]


@pytest.mark.parametrize("network", [{"egress": "nat"}, EXISTING_VPC], ids=["nat", "existing-vpc"])
def test_database_without_endpoints_may_connect_to_sts(network: dict[str, object]) -> None:
    """IAM sign-in needs STS, and no template can name its addresses."""
    [rule] = only(stack(network=network), "AWS::EC2::SecurityGroup", "Database")["SecurityGroupEgress"]
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 443, 443)
    assert rule["CidrIp"] == "0.0.0.0/0"


def test_restored_cluster_reaches_the_endpoints() -> None:
    """It is an existing cluster then, in the same VPC."""
    rules = of_type(stack(database=EXISTING_DATABASE), "AWS::EC2::SecurityGroupIngress").values()
    into = [rule["SourceSecurityGroupId"] for rule in rules if "Endpoints" in str(rule["GroupId"])]
    assert EXISTING_DATABASE["security_group_id"] in into


@pytest.mark.parametrize("zones", [(), ("eu-west-1a", "eu-west-1c"), ("euw1-az1", "euw1-az3")], ids=["unnamed", "names", "ids"])
def test_instances_are_spread_over_zones(zones: tuple[str, ...]) -> None:
    """Three instances in the zones of two subnets: the third is beside the first."""
    template = stack(network={"availability_zones": zones} if zones else {}, database={"instances": 3})
    first, second = (name for name in of_type(template, "AWS::EC2::Subnet") if "Private" in name)
    instances = of_type(template, "AWS::DocDB::DBInstance").values()
    assert [one["AvailabilityZone"]["Fn::GetAtt"][0] for one in instances] == [first, second, first]


@pytest.mark.parametrize(("removal", "policy", "protected"), [("retain", "Retain", True), ("destroy", "Delete", False)])
def test_database_outlives_the_stack_unless_destroy(removal: str, policy: str, protected: bool) -> None:
    """With everything that it needs."""
    template = stack(removal=removal)
    resources = template.to_json()["Resources"]
    of_database = {name: resource for name, resource in resources.items() if name.startswith("Database")}
    kept = [one for one in of_database.values() if not one["Type"].endswith("gress")]
    assert {resource["DeletionPolicy"] for resource in kept} == {policy}
    assert only(template, CLUSTER)["DeletionProtection"] is protected


def test_one_key_encrypts_everything() -> None:
    """Storage, the administrator's secret and the audit log."""
    template = stack(customer_key=True)
    [key] = of_type(template, "AWS::KMS::Key")
    arn = {"Fn::GetAtt": [key, "Arn"]}
    cluster = only(template, CLUSTER)
    assert cluster["KmsKeyId"] == cluster["MasterUserSecretKmsKeyId"] == arn
    assert only(template, "AWS::Logs::LogGroup", "DatabaseAudit")["KmsKeyId"] == arn


def test_existing_cluster_is_not_changed(existing: Template) -> None:
    """Only its security group admits the tailers."""
    for kind in (CLUSTER, "AWS::DocDB::DBInstance", "AWS::DocDB::DBClusterParameterGroup"):
        existing.resource_count_is(kind, 0)
    rules = of_type(existing, "AWS::EC2::SecurityGroupIngress").values()
    assert [(rule["GroupId"], rule["FromPort"]) for rule in rules] == [(EXISTING_DATABASE["security_group_id"], 27017)]


def test_tailer_signs_in_as_its_role(existing: Template) -> None:
    """To the primary, with TLS, and without a password or retryable writes, which DocumentDB 5 does not support."""
    uri = variables(existing)["TAILER_MONGODB_URI"]
    assert uri.startswith(f"mongodb://{HOST}:27017/?")
    options = ("replicaSet", "readPreference", "retryWrites", "authMechanism", "authSource")
    assert [option(uri, name) for name in options] == ["rs0", "primary", "false", "MONGODB-AWS", "$external"]
    assert encrypted(uri)
    assert names_a_user(uri)


def test_uri_with_a_password_secret_names_no_user() -> None:
    """The task reads user name and password from the secret."""
    database = {**EXISTING_DATABASE, "authentication": "secret", "secret_arn": SECRET}
    template = stack(network=EXISTING_VPC, database=database)
    assert not names_a_user(variables(template)["TAILER_MONGODB_URI"])
    secrets = {one["Name"]: one["ValueFrom"] for one in container(template)["Secrets"]}
    assert secrets == {
        "TAILER_MONGODB_USERNAME": f"{SECRET}:username::",
        "TAILER_MONGODB_PASSWORD": f"{SECRET}:password::",
    }


@pytest.mark.parametrize("version", ["5.0.0", "5.0.1", "5.0.2", "8.0.0", "8.0.1", "8.0.2"])
def test_every_published_minor_version_can_be_created(version: str) -> None:
    """With the parameters of its family."""
    template = stack(database={"engine_version": version})
    assert only(template, CLUSTER)["EngineVersion"] == version
    assert only(template, "AWS::DocDB::DBClusterParameterGroup")["Family"] == f"docdb{version[:3]}"


KEY = "arn:aws:kms:eu-west-1:000000000000:key/theirs"
WITH_PASSWORD = {**EXISTING_DATABASE, "authentication": "secret", "secret_arn": SECRET}
ELSEWHERE = {"mongodb_uri": "mongodb://a.example/?replicaSet=rs0", "secret_arn": SECRET}


@pytest.mark.parametrize(
    ("tables", "role"),
    [
        ({"database": {**WITH_PASSWORD, "secret_key_arn": KEY}}, "ServiceTaskExecutionRole"),
        ({"database": {**EXISTING_DATABASE, "admin_secret_key_arn": KEY}}, "EnablingTaskExecutionRole"),
        ({"database": None, "tailer": {**ELSEWHERE, "secret_key_arn": KEY}}, "ServiceTaskExecutionRole"),
    ],
    ids=["sign-in", "administrator", "mongodb-elsewhere"],
)
def test_execution_role_may_decrypt_a_secret_with_a_customer_key(tables: dict[str, object], role: str) -> None:
    """Only this secret, only through Secrets Manager, and no other role."""
    policies = of_type(stack(network=EXISTING_VPC, **tables), "AWS::IAM::Policy")
    allowed = {
        name: statement
        for name, policy in policies.items()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Resource"] == KEY
    }
    [(name, statement)] = allowed.items()
    assert name.startswith(role)
    assert statement["Action"] == "kms:Decrypt"
    conditions = statement["Condition"]["StringEquals"]
    assert conditions["kms:EncryptionContext:SecretARN"] == SECRET
    assert "secretsmanager." in str(conditions["kms:ViaService"])


def test_no_decrypt_right_without_a_customer_key() -> None:
    """Principals of the account may use the AWS managed key."""
    template = stack(network=EXISTING_VPC, database=WITH_PASSWORD)
    assert "kms:" not in str(of_type(template, "AWS::IAM::Policy"))
