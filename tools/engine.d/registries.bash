# shellcheck shell=bash disable=SC2153  # STATE, REPO, ROOT: state.bash and the command
# Real registries of several makes, with and without login and TLS, each on a free port of localhost, and
# the token servers that some of them ask.  A registry starts empty and leaves no data.

readonly REGISTRIES=(
  distribution2-none distribution2-basic distribution2-token distribution2-basic-tls distribution2-token-tls
  distribution3-none distribution3-basic distribution3-token distribution3-basic-tls distribution3-token-tls
  ggcr ggcr-referrers
)
# Every make, every kind of login, with TLS and plain, with the referrers API and without.
# shellcheck disable=SC2034  # for tools/registries
readonly REGISTRIES_OF_TESTS=(
  distribution2-none distribution2-token-tls distribution3-none distribution3-basic-tls ggcr ggcr-referrers
)

# Users of tests; the hashes are bcrypt's with its lowest cost.  By a token, the reader may only pull.
readonly WRITER_PASSWORD=writers-password-of-tests READER_PASSWORD=readers-password-of-tests
# shellcheck disable=SC2016
readonly HTPASSWD='writer:$2b$04$abcdefghijklmnopqrstuunK/VMNk95IBvj69q.fx1MvF0/PLXuka
reader:$2b$04$abcdefghijklmnopqrstuuNVDZTKJP1K054eR8jRwEco0PFE3UGrO'
readonly USERS='{
  "writer": {"password": "'$WRITER_PASSWORD'", "actions": ["pull", "push", "delete"]},
  "reader": {"password": "'$READER_PASSWORD'", "actions": ["pull"]}
}'

registry_folder() { echo "$STATE/registries/$1"; }
port_of() { cat "$STATE/registries/$1/port" 2>/dev/null; }
has_tls() { [[ $1 == *-tls ]]; }
scheme_of() { if has_tls "$1"; then echo https; else echo http; fi; }

# auth_of NAME: none, basic or token.
auth_of() {
  case $1 in
    *-basic*) echo basic ;;
    *-token*) echo token ;;
    *) echo none ;;
  esac
}

program_of() {
  case $1 in
    distribution*) echo "${1%%-*}" ;;
    *) echo "$1" ;;
  esac
}

# token_server_of NAME: the one with the registry's own scheme.
token_server_of() { if has_tls "$1"; then echo token-server-tls; else echo token-server; fi; }

# answers NAME: it runs, and speaks (a demand for a login is an answer).
answers() {
  running "registries/$1" &&
    curl -sS -m 5 -o /dev/null --cacert "$STATE/registries/ca.pem" "$(scheme_of "$1")://localhost:$(port_of "$1")/v2/" 2>/dev/null
}

# A certificate authority of the tests' own, the servers' certificate, and the key that signs tokens.
certificates() {
  local folder=$STATE/registries log=$STATE/registries/log new
  [[ ! -e $folder/certificates/made ]] || return 0
  new=$STATE/tmp/certificates
  mkdir -p "$folder" "$new"
  {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj '/CN=crategate tests' \
      -addext keyUsage=critical,keyCertSign,cRLSign -keyout "$new/ca.key" -out "$new/ca.pem" &&
      openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj '/CN=localhost' \
        -keyout "$new/server.key" -out "$new/server.csr" &&
      openssl x509 -req -days 3650 -in "$new/server.csr" -CA "$new/ca.pem" -CAkey "$new/ca.key" -CAcreateserial \
        -extfile <(printf '%s\n' 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1' 'extendedKeyUsage=serverAuth' \
          'basicConstraints=critical,CA:FALSE') -out "$new/server.pem" &&
      openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj '/CN=crategate tests, tokens' \
        -keyout "$new/token.key" -out "$new/token.pem"
  } >"$log" 2>&1 || die_with_log "$log" "could not make certificates"
  chmod 644 "$new"/*.key
  touch "$new/made"
  rm -rf "$folder/certificates"
  mv "$new" "$folder/certificates"
  cp "$folder/certificates/ca.pem" "$folder/ca.pem"
}

# auth_configuration NAME: lines of distribution's configuration.
auth_configuration() {
  local folder=$STATE/registries server
  case $(auth_of "$1") in
    basic) echo "auth: {htpasswd: {realm: tests, path: \"$folder/htpasswd\"}}" ;;
    token)
      server=$(token_server_of "$1")
      cat <<CONF
auth:
  token:
    realm: $(scheme_of "$1")://localhost:$(port_of "$server")/token
    service: $1
    issuer: crategate-token-server
    rootcertbundle: "$folder/certificates/token.pem"
CONF
      ;;
  esac
}

# distribution_start NAME PROGRAM
distribution_start() {
  local folder tls='' relative=false
  folder=$(registry_folder "$1")
  if has_tls "$1"; then
    tls=", tls: {certificate: \"$STATE/registries/certificates/server.pem\", key: \"$STATE/registries/certificates/server.key\"}"
  fi
  # Both kinds of Location are met.
  [[ $1 != distribution3-none ]] || relative=true
  {
    cat <<CONF
version: 0.1
log: {level: warn}
storage:
  filesystem: {rootdirectory: "$folder/data"}
  delete: {enabled: true}
  cache: {blobdescriptor: inmemory}
http: {addr: "127.0.0.1:$(port_of "$1")", secret: of-tests, relativeurls: $relative$tls}
CONF
    auth_configuration "$1"
  } >"$folder/config.yml"
  start "registries/$1" "$folder/log" env -i "PATH=$PATH" OTEL_TRACES_EXPORTER=none "$2" serve "$folder/config.yml"
}

# part_start NAME: on the port that is noted.
part_start() {
  local folder
  local -a tls=()
  folder=$(registry_folder "$1")
  case $1 in
    distribution*) distribution_start "$1" "$(program "$(program_of "$1")")" ;;
    ggcr*) start "registries/$1" "$folder/log" "$(program "$1")" -port "$(port_of "$1")" ;;
    token-server*)
      if has_tls "$1"; then
        tls=(--tls-key "$STATE/registries/certificates/server.key" --tls-certificate "$STATE/registries/certificates/server.pem")
      fi
      start "registries/$1" "$folder/log" python3 -B "$REPO/tests/support/token_server.py" --port "$(port_of "$1")" \
        --users "$STATE/registries/users.json" --key "$STATE/registries/certificates/token.key" \
        --certificate "$STATE/registries/certificates/token.pem" --log "$folder/requests" "${tls[@]}"
      ;;
  esac
}

# False when it ended at once: somebody else took the port between the look and the start.
part_settles() {
  local step
  for ((step = 0; step < 50; ++step)); do
    if answers "$1"; then return 0; fi
    running "registries/$1" || return 1
    sleep 0.1
  done
}

# part_up NAME: a registry or a token server, empty.
part_up() {
  local attempt folder
  if answers "$1"; then return; fi
  part_down "$1"
  folder=$(registry_folder "$1")
  mkdir -p "$folder"
  for attempt in 1 2 3; do
    pick_port "$folder/port" $((20000 + RANDOM % 12000)) >"$folder/port.new"
    mv "$folder/port.new" "$folder/port"
    say "starting $1 on localhost:$(port_of "$1")"
    part_start "$1"
    if [[ $attempt == 3 ]] || part_settles "$1"; then break; fi
  done
  wait_for "registries/$1" "$folder/log" 20 answers "$1"
}

part_down() {
  if running "registries/$1"; then
    say "stopping $1"
  fi
  stop "registries/$1" 10
  rm -rf "$(registry_folder "$1")/data"
}

# registries_up NAME...
registries_up() {
  local name
  certificates
  printf '%s\n' "$HTPASSWD" >"$STATE/registries/htpasswd"
  printf '%s\n' "$USERS" >"$STATE/registries/users.json"
  # All that is to be made, before anything runs.
  for name in "$@"; do
    program "$(program_of "$name")" >/dev/null
  done
  for name in "$@"; do
    [[ $(auth_of "$name") != token ]] || part_up "$(token_server_of "$name")"
    part_up "$name"
  done
}

# registries_down NAME...; a token server goes with the last registry that asks it.
registries_down() {
  local name server
  for name in "$@"; do part_down "$name" & done
  wait
  for server in token-server token-server-tls; do
    for name in "${REGISTRIES[@]}"; do
      if [[ $(auth_of "$name") == token && $(token_server_of "$name") == "$server" ]] && running "registries/$name"; then
        continue 2
      fi
    done
    part_down "$server"
  done
}

# registries_json NAME...: what the tests read.
registries_json() {
  local name auth username ca
  for name in "$@"; do
    auth=$(auth_of "$name") username='' ca=''
    [[ $auth == none ]] || username=writer
    ! has_tls "$name" || ca=$STATE/registries/ca.pem
    jq -n --arg name "$name" --arg host "localhost:$(port_of "$name")" --arg auth "$auth" --arg username "$username" \
      --arg password "$WRITER_PASSWORD" --arg reader "$READER_PASSWORD" --arg ca "$ca" --arg kind "${name%%-*}" '{
        name: $name, host: $host, auth: $auth, username: $username,
        password: (if $auth == "none" then "" else $password end),
        reader: (if $auth == "token" then {username: "reader", password: $reader} else {username: "", password: ""} end),
        ca_file: $ca, kind: $kind}'
  done | jq -s .
}
