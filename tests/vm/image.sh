# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a test VM boots: picks the newest installed kernel whose headers are
# installed too, unpacks it, packs the small initramfs that finds the host's
# root, and a disk with copies of its most used programs.  Knows nothing of
# QEMU, of tests or of their results.
# Sourced.  Everything made here is cached outside the tree; a cache entry is
# complete or absent (written beside, then renamed).

vm_cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/dm-svcenc

# Modules the initramfs needs to reach the root, and two whose device nodes
# udev would have made; modprobe gives the order.
vm_early_modules="virtio_pci 9pnet_virtio 9p overlay virtio_blk virtio_console ext4 loop dm_mod"

vm_pick_kernel() {
	local image kver best=

	for image in /boot/vmlinuz-*-amd64; do
		[ -e "$image" ] || continue
		kver=${image#/boot/vmlinuz-}
		[ -e "/lib/modules/$kver/build/Makefile" ] || continue
		best=$(printf '%s\n%s\n' "$best" "$kver" | sort -V | tail -n 1)
	done
	[ -n "$best" ] || {
		echo "no kernel in /boot has its headers installed (apt install linux-image-amd64 linux-headers-amd64)" >&2
		return 1
	}
	printf '%s\n' "$best"
}

# A little-endian number in a bzImage header: offset, bytes.
bzimage_field() {
	od -An -v -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' \n'
}

# Emulated decompression of the kernel costs more than all the rest of the
# boot, so it is unpacked once here; QEMU starts the ELF file by its PVH note.
vm_unpack_kernel() {
	local kver=$1 image=/boot/vmlinuz-$1 out setup_sects start len
	out=$vm_cache/vmlinux-$kver-$(stat -c %Y-%s "$image")

	if [ ! -e "$out" ]; then
		setup_sects=$(bzimage_field "$image" $((0x1f1)) 1)
		start=$(((setup_sects + 1) * 512 + $(bzimage_field "$image" $((0x248)) 4)))
		len=$(bzimage_field "$image" $((0x24c)) 4)
		# The last four bytes are the unpacked size, not xz data.
		tail -c "+$((start + 1))" "$image" | head -c "$((len - 4))" |
			xz -dc --single-stream >"$out.$$" 2>/dev/null
		if [ "$(head -c 4 "$out.$$" | tr -d '\0')" = "$(printf '\177ELF')" ]; then
			mv "$out.$$" "$out"
		else
			rm -f "$out.$$"
			out=$image # another compression: boot it as it is
		fi
	fi
	printf '%s\n' "$out"
}

vm_module_paths() {
	local module

	for module in $vm_early_modules; do
		modprobe --show-depends --set-version "$1" "$module" || return 1
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

vm_build_initramfs() {
	local kver=$1 here=$2 key out tree path

	key=$(cat "$here/initramfs-init" "$here/image.sh" "/lib/modules/$kver/modules.dep" /bin/busybox |
		sha256sum | cut -c 1-16)
	out=$vm_cache/initramfs-$kver-$key
	if [ ! -e "$out" ]; then
		tree=$(mktemp -d "$vm_cache/tree.XXXXXX") || return 1
		mkdir -p "$tree"/{bin,dev,proc,sys,near,ro,rw,newroot,modules}
		cp /bin/busybox "$tree/bin/busybox"
		install -m 755 "$here/initramfs-init" "$tree/init"
		for path in $(vm_module_paths "$kver"); do
			cp "$path" "$tree/modules/" || return 1
			echo "${path##*/}" >>"$tree/modules/order"
		done
		[ -s "$tree/modules/order" ] || return 1
		(cd "$tree" && find . | cpio -o -H newc --quiet) >"$out.$$" || return 1
		mv "$out.$$" "$out"
		rm -rf "$tree"
	fi
	printf '%s\n' "$out"
}

# Programs that tests start again and again, with what these read when they
# start. Each open() over 9p is several messages between guest and QEMU, which
# in an emulated machine cost more than the program itself.
vm_near_packages="bash dash coreutils grep sed mawk util-linux mount procps findutils perl-base
	dmsetup lvm2 cryptsetup-bin keyutils kmod udev systemd e2fsprogs xfsprogs fio jq sqlite3
	libc-bin python3-minimal python3.11-minimal libpython3.11-minimal libpython3.11-stdlib
	python3-cryptography python3-cffi-backend libssl3 libsystemd0 libjansson4 libsqlite3-0
	libseccomp2 libnl-3-200 libnl-genl-3-200 libinih1"

# Paths as the root has them, without symbolic links on the way (/bin).
vm_near_files() {
	local files path

	# shellcheck disable=SC2086 # a list of names
	files=$(dpkg-query -L $vm_near_packages 2>/dev/null |
		grep -E '^(/usr)?/(bin|sbin|lib|libexec)/' |
		grep -v -E '/(gconv|x86_64-linux-gnu/perl|modules|catalog|hwdb\.d)/|\.a$' |
		xargs -d '\n' realpath -q -e)
	{
		printf '%s\n' "$files" /etc/ld.so.cache /usr/lib/locale/C.utf8/*
		# what they are linked with, and what Python has compiled
		grep -E '/s?bin/|\.so$' <<<"$files" | xargs -d '\n' ldd 2>/dev/null |
			grep -o '/[^ )]*' | grep -v : | sort -u | xargs -d '\n' realpath
		sed -n 's,/\([^/]*\)\.py$,/__pycache__/\1.cpython-311.pyc,p' <<<"$files"
	} | sort -u | while read -r path; do
		[ ! -f "$path" ] || echo "$path"
	done
}

# Prints nothing when there is none: the VM does without.  Any installation of
# a package makes a new one.
vm_build_near() {
	local here=$1 key out tree path

	key=$({
		cat "$here/image.sh" /etc/ld.so.cache
		dpkg-query -W
	} | sha256sum | cut -c 1-16)
	out=$vm_cache/near-$key
	if [ ! -e "$out" ]; then
		tree=$(mktemp -d "$vm_cache/tree.XXXXXX") || return 1
		vm_near_files | sed 's,^/,,' |
			(cd / && cpio -o -H newc --quiet) | (cd "$tree" && cpio -i -d -m --quiet)
		# merged with the root's: a directory here hides the owner of that one
		(cd "$tree" && find . -mindepth 1 -type d) | while read -r path; do
			chown --reference="/$path" "$tree/$path" && chmod --reference="/$path" "$tree/$path"
		done
		find "$vm_cache" -name 'near-*' -mtime +7 -delete
		truncate -s $(($(du -sk --apparent-size "$tree" | cut -f 1) * 5 / 4 + 16384))k "$out.$$" &&
			mkfs.ext4 -q -O ^has_journal -L near -d "$tree" "$out.$$" >/dev/null && mv "$out.$$" "$out"
		rm -rf "$tree"
	fi
	[ ! -e "$out" ] || printf '%s\n' "$out"
}
