#!/bin/sh
# Makes what deploy/compose.secure.yml needs, where it is not there yet: a password for each user of the server, the key
# that messages are signed with, an authority, and the server's certificate.
#
#   secrets.sh [FOLDER [HOST]]     FOLDER: deploy/secrets; HOST: the server's name, redis
#
# Nobody but you can enter the folder.  The files in it can be read by all, since those in containers are not you.
set -eu
folder=${1:-$(dirname "$0")/secrets}
host=${2:-redis}

mkdir -p "$folder"
chmod 700 "$folder"
cd "$folder"

for name in worker_password producer_password reader_password operator_password signing_key; do
  [ -s "$name" ] || openssl rand -hex 32 >"$name"
done

if [ ! -s server_certificate ]; then
  cat >openssl.cnf <<CONFIGURATION
[req]
distinguished_name = name
prompt = no
[name]
CN = Weighbridge
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:$host, DNS:localhost
CONFIGURATION
  curve="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
  # shellcheck disable=SC2086 # words on purpose
  openssl req -config openssl.cnf -x509 $curve -days 3650 -extensions authority -keyout ca_key -out ca_certificate
  # shellcheck disable=SC2086
  openssl req -config openssl.cnf $curve -keyout server_key -out server_request
  openssl x509 -req -in server_request -CA ca_certificate -CAkey ca_key -CAcreateserial -days 825 \
    -extfile openssl.cnf -extensions server -out server_certificate
  # Whoever has the authority's key is the server, for everybody: keep it elsewhere.
  chmod 600 ca_key
  rm -f server_request openssl.cnf ca_certificate.srl
fi
chmod 444 ./*_password signing_key ca_certificate server_certificate server_key
