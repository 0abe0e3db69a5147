# A pipeline by the AWS CLI alone: create, start, take the callback from SQS, answer it, wait.
set -euo pipefail
queue=$($AWS sqs create-queue --queue-name sagemaker-aws-cli --query QueueUrl --output text)
cat > definition.json <<JSON
{"Version": "2020-12-01", "Steps": [{"Name": "Approve", "Type": "Callback", "SqsQueueUrl": "$queue",
 "Arguments": {"rows": 3}, "OutputParameters": [{"OutputName": "who", "OutputType": "String"}]}]}
JSON
$AWS sagemaker create-pipeline --pipeline-name AwsCli --role-arn "$ROLE_ARN" \
    --pipeline-definition file://definition.json > /dev/null
execution=$($AWS sagemaker start-pipeline-execution --pipeline-name AwsCli \
    --query PipelineExecutionArn --output text)
token=$($AWS sqs receive-message --queue-url "$queue" --wait-time-seconds 20 \
    --query 'Messages[0].Body' --output text | sed 's/.*"token": *"\([^"]*\)".*/\1/')
$AWS sagemaker send-pipeline-execution-step-success --callback-token "$token" \
    --output-parameters Name=who,Value=ann > /dev/null
status=Executing
while [ "$status" = Executing ]; do
    status=$($AWS sagemaker describe-pipeline-execution --pipeline-execution-arn "$execution" \
        --query PipelineExecutionStatus --output text)
done
test "$status" = Succeeded

# Objects, in one piece and in parts; what is not there is told as it is.
$AWS s3 mb s3://aws-cli
head -c 20000000 /dev/zero > zeros
$AWS s3 cp --no-progress zeros s3://aws-cli/zeros
$AWS s3 cp --no-progress s3://aws-cli/zeros back
cmp zeros back
$AWS s3 sync --no-progress . s3://aws-cli/all --exclude '*' --include definition.json --sse aws:kms
$AWS s3api head-object --bucket aws-cli --key all/definition.json --query ServerSideEncryption | grep aws:kms
! $AWS s3api get-object --bucket aws-cli --key none nothing 2> refused
grep NoSuchKey refused
$AWS s3 rm --recursive s3://aws-cli
$AWS s3 rb s3://aws-cli

# EMR's default roles, with all the policies that AWS attaches to them.
$AWS emr create-default-roles > /dev/null
test "$($AWS emr create-default-roles --query 'length(@)')" = 0
$AWS iam list-attached-role-policies --role-name EMR_EC2_DefaultRole | grep AmazonElasticMapReduceforEC2Role
