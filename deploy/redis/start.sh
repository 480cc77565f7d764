#!/bin/sh
# Starts a server with the users of users.acl:  start.sh SERVER [OPTION...]
#
# Passwords are read from files, PASSWORDS/NAME_password, and reach the server as hashes, by a file that only its user
# may read; none is ever on a command line or in the environment.
#
#   PASSWORDS   folder of the password files        (/run/secrets)
#   ACL_FILE    where the server's ACL file is made  (/tmp/users.acl)
set -eu
umask 077
here=$(dirname "$0")
passwords=${PASSWORDS:-/run/secrets}
acl_file=${ACL_FILE:-/tmp/users.acl}

# One user a line, without comments.
sed -e '/^#/d' -e '/^$/d' "$here/users.acl" | awk '/^user/ && NR > 1 { print "" } { printf "%s ", $0 } END { print "" }' >"$acl_file"

for name in $(sed -n 's/^user .*#{\([a-z]*\)}.*/\1/p' "$here/users.acl"); do
  password=$(cat "$passwords/${name}_password")
  # A hash of nothing would let everybody in.
  if [ "${#password}" -lt 16 ]; then
    echo "$passwords/${name}_password: shorter than 16 characters" >&2
    exit 1
  fi
  hash=$(printf %s "$password" | sha256sum | cut -d ' ' -f 1)
  sed -i "s/#{$name}/#$hash/" "$acl_file"
done

server=$1
shift
exec "$server" "$here/redis.conf" --aclfile "$acl_file" "$@"
