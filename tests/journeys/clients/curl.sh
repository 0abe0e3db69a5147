# curl signs by itself; a body without a type is a form to it, and what is not signed is denied.
set -euo pipefail
call() {
    service=$1; shift
    curl --silent --show-error --noproxy '*' --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
        --aws-sigv4 "aws:amz:$AWS_REGION:$service" "$@"
}
unsigned='x-amz-content-sha256: UNSIGNED-PAYLOAD'
call s3 -H "$unsigned" -X PUT "$AWS_ENDPOINT_URL/curled"
echo hello | call s3 -H "$unsigned" -H 'x-amz-meta-team: ml' -T - "$AWS_ENDPOINT_URL/curled/k"
test "$(call s3 -H "$unsigned" "$AWS_ENDPOINT_URL/curled/k")" = hello
call s3 -H "$unsigned" "$AWS_ENDPOINT_URL/curled/none" | grep '<Key>none</Key>'
curl --silent --noproxy '*' "$AWS_ENDPOINT_URL/curled/k" | grep '<Code>AccessDenied</Code>'
call lambda -d '{}' "$AWS_ENDPOINT_URL/2015-03-31/functions/nobody/invocations" | grep 'Function not found'
call lambda "$AWS_ENDPOINT_URL/2015-03-31/nothing" | grep '"Type":"User"'
call sqs -d 'Action=ListQueues&Version=2012-11-05' "$AWS_ENDPOINT_URL/" | grep ListQueuesResponse
# A bucket in the host, where curl knows that all of .localhost is this machine.
call s3 -H "$unsigned" "http://curled.localhost:${AWS_ENDPOINT_URL##*:}/k" | grep hello
