#!/bin/sh
# Makes a small archive of Debian packages in /var/local-archive and lets apt know nothing but that.
set -e
archive=/var/local-archive
rm -rf $archive
mkdir -p $archive/work

# NAME VERSION [further lines of the control file]
package() {
    root=$archive/work/$1
    rm -rf "$root"
    mkdir -p "$root/DEBIAN" "$root/usr/share/doc/$1" "$root/etc/$1"
    echo "$1 $2" >"$root/usr/share/doc/$1/README"
    echo "setting=$2" >"$root/etc/$1/$1.conf"
    echo "/etc/$1/$1.conf" >"$root/DEBIAN/conffiles"
    {
        printf 'Package: %s\nVersion: %s\nArchitecture: all\n' "$1" "$2"
        printf 'Maintainer: Nobody <nobody@example.com>\nDescription: a package for tests\n'
        shift 2
        [ $# = 0 ] || printf '%s\n' "$@"
    } >"$root/DEBIAN/control"
    dpkg-deb --root-owner-group -Znone --build "$root" $archive >/dev/null
}

package hello 2.9-1
package hello 2.10-3
package sl 5.02-1+b1
package rustle-base 1.0
package rustle-top 1.0 'Depends: rustle-base' 'Recommends: rustle-nice'
package rustle-nice 1.0
package rustle-mail-a 1.0 'Provides: rustle-mail'
package rustle-mail-b 1.0 'Provides: rustle-mail'
package rustle-only 1.0 'Provides: rustle-single'
package rustle-asks 1.0
package rustle-broken 1.0 'Depends: rustle-nowhere'
rm -rf $archive/work

cd $archive
for deb in *.deb; do
    dpkg-deb -f "$deb"
    printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$deb" "$(stat -c %s "$deb")" "$(sha256sum "$deb" | cut -d' ' -f1)"
done >Packages

rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists/*
echo "deb [trusted=yes] file:$archive ./" >/etc/apt/sources.list
apt-get update -qq
