// A pipeline by the SDK for JavaScript alone: create, start, take the callback from SQS, answer it, wait.
const assert = require("node:assert");
const sagemaker = require("@aws-sdk/client-sagemaker");
const sqs = require("@aws-sdk/client-sqs");

const pipelines = new sagemaker.SageMakerClient({});
const queues = new sqs.SQSClient({});
const name = "JavaScript";

async function main() {
  const { QueueUrl } = await queues.send(new sqs.CreateQueueCommand({ QueueName: "sagemaker-javascript" }));
  const steps = [
    {
      Name: "Approve",
      Type: "Callback",
      SqsQueueUrl: QueueUrl,
      Arguments: { rows: { Get: "Parameters.Rows" } },
      OutputParameters: [{ OutputName: "who", OutputType: "String" }],
    },
  ];
  const definition = { Version: "2020-12-01", Parameters: [{ Name: "Rows", Type: "Integer" }], Steps: steps };
  await pipelines.send(
    new sagemaker.CreatePipelineCommand({
      PipelineName: name,
      RoleArn: process.env.ROLE_ARN,
      PipelineDefinition: JSON.stringify(definition),
      ClientRequestToken: "javascript-".padEnd(32, "0"),
    }),
  );
  const { PipelineExecutionArn } = await pipelines.send(
    new sagemaker.StartPipelineExecutionCommand({
      PipelineName: name,
      PipelineParameters: [{ Name: "Rows", Value: "3" }],
      ClientRequestToken: "javascript-".padEnd(32, "1"),
    }),
  );
  const { Messages } = await queues.send(new sqs.ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
  const body = JSON.parse(Messages[0].Body);
  assert.deepStrictEqual(body.arguments, { rows: 3 });
  await pipelines.send(
    new sagemaker.SendPipelineExecutionStepSuccessCommand({
      CallbackToken: body.token,
      OutputParameters: [{ Name: "who", Value: "ann" }],
    }),
  );
  await queues.send(new sqs.DeleteMessageCommand({ QueueUrl, ReceiptHandle: Messages[0].ReceiptHandle }));
  let status = "Executing";
  while (status === "Executing") {
    const described = await pipelines.send(new sagemaker.DescribePipelineExecutionCommand({ PipelineExecutionArn }));
    status = described.PipelineExecutionStatus;
  }
  assert.strictEqual(status, "Succeeded");
  const { PipelineExecutionSteps } = await pipelines.send(
    new sagemaker.ListPipelineExecutionStepsCommand({ PipelineExecutionArn }),
  );
  assert.strictEqual(PipelineExecutionSteps[0].Metadata.Callback.OutputParameters[0].Value, "ann");
  await assert.rejects(
    pipelines.send(new sagemaker.DescribePipelineCommand({ PipelineName: "Nowhere" })),
    (error) => error.name === "ResourceNotFound" && error.$metadata.httpStatusCode === 400,
  );
}

main();
