# With the configuration of `passrole env --for s3cmd`: put, info, sync, a URL, and what is not configured.
set -euo pipefail
s3cmd="s3cmd -c passrole.s3cfg --no-progress"
head -c 16000000 /dev/urandom > large
echo hello > small
$s3cmd mb s3://s3cmd
$s3cmd put --multipart-chunk-size-mb 5 large s3://s3cmd/large
$s3cmd get s3://s3cmd/large back && cmp large back
$s3cmd put --add-header x-amz-meta-team:ml small "s3://s3cmd/a b/ü"
$s3cmd info "s3://s3cmd/a b/ü" | grep 'x-amz-meta-team: ml'
$s3cmd info s3://s3cmd | grep 'Policy: *none'
$s3cmd modify --storage-class STANDARD_IA s3://s3cmd/large
$s3cmd info s3://s3cmd/large | grep STANDARD_IA
test "$(curl --silent --noproxy '*' "$($s3cmd signurl "s3://s3cmd/a b/ü" +60)")" = hello
$s3cmd sync --delete-removed small s3://s3cmd/sync/
$s3cmd del --recursive --force s3://s3cmd
$s3cmd rb s3://s3cmd
