"""A virtual machine with a kernel of Debian's and what one names of this machine's files, for what the kernel here
cannot do. It is emulated, also where there is KVM, which is not whole in every cloud: some seconds until it runs, and slow.

Only its console and, by way of 10.0.2.2, this machine's loopback are connected to it."""
import os
import re
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from .processes import die_with_parent
from .system import CHECKOUT

HOST = '10.0.2.2'
FETCHED = CHECKOUT / 'var' / 'kernel'
BUSYBOX = shutil.which('busybox')
QEMU = shutil.which('qemu-system-x86_64')
UP = 'The guest is up.'
MODULES = 'virtio_pci', 'virtio_net'
INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc none /proc; mount -t sysfs none /sys; mount -t devtmpfs none /dev
for module in {modules}; do insmod /modules/$module; done
ip link set lo up; ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0; ip route add default via {host}
stty -echo -onlcr; export PS1=; echo {up}; while true; do sh 2>&1; done
"""


def kernels() -> list[tuple[Path, Path]]:
    """Images with their modules: what scripts/fetch-kernel fetched, and what the machine has."""
    found = [(image, base / 'lib' / 'modules' / image.name.removeprefix('vmlinuz-'))
             for base in (FETCHED, Path('/')) for image in sorted((base / 'boot').glob('vmlinuz-*'))]
    return [pair for pair in found if pair[1].is_dir()]


def missing() -> str:
    """Why there can be no guest here, or nothing."""
    wanted = {'qemu-system-x86': QEMU, 'busybox-static': BUSYBOX, 'a kernel (scripts/fetch-kernel)': kernels()}
    lacks = [package for package, there in wanted.items() if not there]
    return f'not there: {", ".join(lacks)}' if lacks else ''


def libraries(program: Path) -> set[Path]:
    said = subprocess.run(['ldd', program], capture_output=True, text=True).stdout
    return {Path(path) for path in re.findall(r'(/\S+) \(0x', said)}


def python_files(*modules: str) -> set[Path]:
    """What a program that imports these needs of Python, itself included."""
    listing = ('import sys, os, codecs, encodings.utf_8, encodings.ascii\n' + ''.join(f'import {m}\n' for m in modules) +
               'print(*{m.__file__ for m in list(sys.modules.values()) if getattr(m, "__file__", None)}, sep="\\n")')
    said = subprocess.run(['/usr/bin/python3', '-c', listing], capture_output=True, text=True, check=True).stdout
    return {Path('/usr/bin/python3'), *map(Path, said.split())}


def module_files(folder: Path) -> list[Path]:
    """MODULES and what they need, in the order to load them; without what is in the kernel itself."""
    ordered: list[Path] = []

    def add(name: str) -> None:
        for file in folder.rglob(f'{name.replace("_", "[_-]")}.ko'):
            needs = re.search(rb'\0depends=([^\0]*)', file.read_bytes()).group(1).decode()
            for need in filter(None, needs.split(',')):
                add(need)
            ordered.extend([file] * (file not in ordered))

    for name in MODULES:
        add(name)
    return ordered


def copy_to(root: Path, file: Path) -> None:
    to = root / file.relative_to('/')
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, to)


class Guest:
    """with Guest(folder, files) as guest: guest.run('ls')"""

    def __init__(self, folder: Path, files: Iterable[Path], memory: int = 512) -> None:
        """`files`: programs and what they read; their libraries come along. `memory`: MiB."""
        self.image, self.modules = kernels()[0]
        self.folder, self.memory, self.said = folder, memory, ''
        self.initramfs = self.pack(set(files))

    def pack(self, files: set[Path]) -> Path:
        root, archive = self.folder / 'root', self.folder / 'initramfs'
        for name in ('proc', 'sys', 'tmp', 'dev', 'bin', 'modules'):
            (root / name).mkdir(parents=True)
        for file in files | set().union(*map(libraries, files)):
            copy_to(root, file)
        shutil.copy(BUSYBOX, root / 'bin' / 'busybox')
        modules = module_files(self.modules)
        for module in modules:
            shutil.copy(module, root / 'modules')
        (root / 'init').write_text(INIT.format(modules=' '.join(module.name for module in modules), host=HOST, up=UP))
        (root / 'init').chmod(0o755)
        names = subprocess.run(['find', '.'], cwd=root, capture_output=True, check=True).stdout
        with open(archive, 'wb') as to:
            subprocess.run([BUSYBOX, 'cpio', '-o', '-H', 'newc'], cwd=root, input=names, stdout=to,
                           stderr=subprocess.DEVNULL, check=True)
        return archive

    def __enter__(self) -> 'Guest':
        self.process = subprocess.Popen(
            [QEMU, '-M', 'q35', '-accel', 'tcg', '-cpu', 'max', '-m', f'{self.memory}M', '-nographic', '-no-reboot',
             '-nodefaults', '-serial', 'stdio', '-kernel', self.image, '-initrd', self.initramfs, '-append',
             'console=ttyS0 quiet panic=-1 cgroup_no_v1=all', '-netdev', 'user,id=net', '-device',
             'virtio-net-pci,netdev=net,romfile='],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=die_with_parent(signal.SIGKILL))
        os.set_blocking(self.process.stdout.fileno(), False)
        self.waits = selectors.DefaultSelector()
        self.waits.register(self.process.stdout, selectors.EVENT_READ)
        self.wait_said(f'{UP}\n', 0, 120)
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.kill()
        self.process.wait()
        self.waits.close()

    def wait_said(self, text: str, start: int, seconds: float) -> None:
        limit = time.monotonic() + seconds
        while text not in self.said[start:] and time.monotonic() < limit and self.process.poll() is None:
            if self.waits.select(1):
                self.said += (self.process.stdout.read() or b'').decode(errors='replace').replace('\r', '')
        assert text in self.said[start:], f'not said within {seconds} s: {text!r}, but {self.said[start:][-2000:]}'

    def run(self, command: str, seconds: float = 30) -> str:
        """What the shell in it says to a command."""
        start, number = len(self.said), time.monotonic_ns()
        self.process.stdin.write(f'{command}\necho ended $(({number} + 0))\n'.encode())
        self.process.stdin.flush()
        self.wait_said(f'ended {number}\n', start, seconds)
        return self.said[start:].rpartition('ended')[0]
