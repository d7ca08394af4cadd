#!/usr/bin/env bash
# Fetch kernels for the tests that read real ones: tests/real/fetch_kernels.sh DIRECTORY [VERSION...]
#
# Leaves DIRECTORY/linux-source-VERSION with the parts that the tests look at; versions that are there stay as they are.
# They come from Debian's linux-source packages: out of the configured release where it has the version, else out of other
# suites of the same mirror, read through a package list of our own, so that the machine's configuration does not change.
# Says what cannot be had and goes on: the tests skip what is missing. Status 0 when at least one kernel is there.
set -uo pipefail

into=${1:?usage: fetch_kernels.sh DIRECTORY [VERSION...]}
shift
versions=("$@")
[ ${#versions[@]} -gt 0 ] || versions=(6.1 6.12 7.3)
suites=(trixie-backports bookworm-backports sid trixie bookworm)
mkdir -p "$into" && into=$(cd "$into" && pwd) || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
foreign=()

say() { echo "fetch_kernels: $*" >&2; }

# The mirror that the machine uses, from either style of source list.
mirror() {
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
    grep -v '^[[:space:]]*#' | grep -oE '(https?|file|mirror\+file):[^] ]+' | grep -E '/debian/?$' | head -n 1
}

# Options that make apt use a list of its own, with its state in the temporary directory; nothing when that cannot be set up.
prepare_foreign() {
  [ ${#foreign[@]} -eq 0 ] || return 0
  local url key suite
  url=$(mirror)
  key=/usr/share/keyrings/debian-archive-keyring.gpg
  [ -n "$url" ] && [ -r "$key" ] || return 1
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
  for suite in "${suites[@]}"; do
    echo "deb [signed-by=$key] $url $suite main"
  done > "$work/sources.list"
  foreign=(
    -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root
    -o Acquire::Languages=none
  )
  apt-get "${foreign[@]}" -qq update > /dev/null 2>&1 || true # one suite that is gone does not spoil the others
}

# Put the package of a version into the current directory.
download() {
  local package=linux-source-$1
  apt-get -qq download "$package" > /dev/null 2>&1 && return 0
  prepare_foreign && apt-get "${foreign[@]}" -qq download "$package" > /dev/null 2>&1
}

unpack() {
  local version=$1 part=$work/$1/out name=linux-source-$1
  mkdir -p "$part"
  dpkg-deb --fsys-tarfile "$name"_*.deb | tar -xO --wildcards "*/$name.tar.xz" |
    tar -xJ -C "$part" --wildcards "$name/Makefile" "$name/mm" "$name/fs/proc" "$name/kernel/events" "$name/include" \
      "$name/kernel/fork.c" "$name/arch/*/mm" "$name/arch/*/include" "$name/*Kconfig*" "$name/arch/arm/kernel/smp_tlb.c" \
      "$name/arch/mips/kernel/smp.c" "$name/arch/x86/kernel/vm86_32.c" \
      "$name/arch/x86/kernel/cpu/sgx/encl.c" "$name/arch/powerpc/lib"
  [ -f "$part/$name/Makefile" ] && [ -d "$part/$name/mm" ] && mv "$part/$name" "$into/$name"
}

for version in "${versions[@]}"; do
  if [ -d "$into/linux-source-$version" ]; then
    continue
  fi
  mkdir -p "$work/$version"
  if ! command -v apt-get > /dev/null || ! command -v dpkg-deb > /dev/null; then
    say "no apt here: $version is not fetched"
  elif (cd "$work/$version" && download "$version"); then
    # shellcheck disable=SC2015
    (cd "$work/$version" && unpack "$version") && say "$version is in $into" || say "$version: the package could not be unpacked"
    rm -rf "${work:?}/$version"
  else
    say "$version is not to be had from the configured mirror: tests on it are skipped"
  fi
done
compgen -G "$into/linux-source-*" > /dev/null
