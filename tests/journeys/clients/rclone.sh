# With the lines of `passrole env --for rclone`: copy, check in parts, move, and what a missing bucket is.
set -euo pipefail
rclone="rclone --config /dev/null --retries 1"
head -c 12000000 /dev/urandom > large
mkdir folder && echo one > folder/one && echo two > "folder/zwei ü"
$rclone mkdir passrole:rclone
$rclone copy --s3-chunk-size 5M --s3-upload-cutoff 5M large passrole:rclone/
$rclone sync folder passrole:rclone/folder
$rclone check folder passrole:rclone/folder
$rclone check --include large . passrole:rclone/
test "$($rclone cat "passrole:rclone/folder/zwei ü")" = two
$rclone moveto passrole:rclone/large passrole:rclone/moved
$rclone lsf passrole:rclone | grep moved
$rclone touch --timestamp 2026-01-31T12:00:00 passrole:rclone/moved
! $rclone lsf passrole:never-made 2> refused
grep -i "directory not found" refused
$rclone purge passrole:rclone
