#!/bin/bash
# usage: unpack_package.sh PACKAGE FOLDER
# The files of a Debian package under FOLDER, without installing it: an installed one would start its service.
set -euo pipefail
package=$1 folder=$2
[ ! -e "$folder/usr" ] || exit 0
sudo=""
[ "$(id -u)" = 0 ] || sudo=sudo
apt-cache show "$package" >/dev/null 2>&1 || $sudo apt-get update -qq
echo "unpacking $package into $folder"
mkdir -p "$folder"
cd "$folder"
apt-get download -qq -o APT::Sandbox::User=root "$package"
dpkg-deb -x "$package"_*.deb .
rm "$package"_*.deb
