# shellcheck shell=bash
# An engine adds rules and leaves them behind; a private one takes its own away when it stops.

# firewall_delete TABLE PATTERN: the rules that match.
firewall_delete() {
  local rule
  { iptables-save -t "$1" 2>/dev/null | grep -E -e "^-A.*$2" || true; } | sed 's/^-A/-D/' |
    while read -ra rule; do
      iptables -w -t "$1" "${rule[@]}" 2>/dev/null || true
    done
}

firewall_drop_bridges() {
  local bridge table
  for bridge in "$@"; do
    for table in nat filter; do
      firewall_delete "$table" " $bridge( |\$)"
    done
    ip link delete "$bridge" 2>/dev/null || true
  done
}

# Before the first engine of this machine: what it will change for everybody.
firewall_remember() {
  if [[ ! -e $RUN/firewall ]] && ! iptables -w -n -L DOCKER-USER >/dev/null 2>&1; then
    echo "$(iptables -w -S FORWARD 2>/dev/null | sed -n 's/^-P FORWARD //p') $(</proc/sys/net/ipv4/ip_forward)" >"$RUN/firewall"
  fi
}

any_engine_runs() {
  local folder name
  for folder in /proc/[0-9]*; do
    { read -r name <"$folder/comm"; } 2>/dev/null || continue
    if [[ $name == dockerd ]] && start_time_of "${folder#/proc/}" >/dev/null; then
      return 0
    fi
  done
  return 1
}

# After the last one: back to that.
firewall_restore() {
  local policy forward table chain
  if [[ ! -e $RUN/firewall ]] || any_engine_runs; then
    return 0
  fi
  read -r policy forward <"$RUN/firewall"
  for table in nat filter; do
    firewall_delete "$table" ' -j DOCKER'
    for chain in $(iptables-save -t "$table" 2>/dev/null | sed -n 's/^:\(DOCKER[^ ]*\) .*/\1/p'); do
      iptables -w -t "$table" -F "$chain" 2>/dev/null || true
      iptables -w -t "$table" -X "$chain" 2>/dev/null || true
    done
  done
  if [[ $policy == ACCEPT ]]; then
    iptables -w -P FORWARD ACCEPT
  fi
  if [[ $forward == 0 ]]; then
    echo 0 >/proc/sys/net/ipv4/ip_forward
  fi
  rm -f "$RUN/firewall"
}
