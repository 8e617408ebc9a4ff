# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a test VM boots: picks the newest installed kernel whose headers are
# installed too, unpacks it, and packs the small initramfs that finds the
# host's root.  Knows nothing of QEMU, of tests or of their results.
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
		mkdir -p "$tree"/{bin,dev,proc,sys,ro,rw,newroot,modules}
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
