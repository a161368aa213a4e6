"""Run a LiteRT file on an emulated Cortex-A72, the processor of the Raspberry Pi 4, and compare it with this machine.

    python scripts/arm.py student.tflite student-int8.tflite --images FOLDER [--n 4] [--out results/arm-litert.json]

A copy of mobiledepth/deploy/predictor.py runs the same images on this machine and in QEMU. The exit status is 1 if too
few pixels agree. The script verifies the results on ARM, not the latency: emulated time is meaningless and not
recorded.

The script needs x86 Linux with Debian's tools. Install these packages once as root on Debian 12 (later versions need
the last line without `-t`):

    echo 'deb http://deb.debian.org/debian bookworm-backports main' > /etc/apt/sources.list.d/backports.list
    apt-get update
    apt-get install --no-install-recommends -t bookworm-backports qemu-user

They install qemu-aarch64 10.0. Version 7.2 of Debian 12 crashes in LiteRT; versions 8 and 9 are accepted but untested.
The other steps need no root and do not change the system. apt-get, with separate lists and folders, downloads an ARM
Python 3.11 and the C library of Debian 12, the base of Raspberry Pi OS. pip downloads ARM wheels of numpy and
ai-edge-litert in the versions of this environment. Both are unpacked in --work (200 MB, once).

On a Raspberry Pi, run pip install ai-edge-litert, copy predictor.py and the file, and call Predictor(file)(image)."""
import hashlib, json, os, re, shutil, subprocess, sys
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from fastcore.script import Param, call_parse

from mobiledepth.data.cache import cache_dir
from mobiledepth.deploy import predictor
from mobiledepth.deploy.export import camera_images
from mobiledepth.runs.records import git_commit, versions, write_record
from mobiledepth.tasks import get_task

repo,keyring = Path(__file__).resolve().parent.parent,'/usr/share/keyrings/debian-archive-keyring.gpg'
cpu,packages = 'cortex-a72',('numpy', 'ai-edge-litert')
least = dict(float32=.999, float16=.999, int8=.999) # Minimum share of equal pixels

apt_conf = '''APT::Architecture "arm64"; APT::Architectures { "arm64"; }; APT::Sandbox::User "";
Dir::State "FOLDER/state"; Dir::State::status "FOLDER/status"; Dir::Cache "FOLDER/cache";
Dir::Etc::sourcelist "FOLDER/sources.list"; Dir::Etc::sourceparts "-";
Dir::Etc::preferences "-"; Dir::Etc::preferencesparts "-";'''

probe = '''
import json, platform, re, sys
from importlib import metadata
import numpy as np
from predictor import Predictor
file,images,out = sys.argv[1:]
np.save(out, Predictor(file)(np.load(images)))
part = re.search(r'CPU part.*(0x\\w+)', open('/proc/cpuinfo').read())
print(json.dumps(dict(machine=platform.machine(), cpu_part=part and part[1], python=platform.python_version(),
                      libc=' '.join(platform.libc_ver()),
                      **{o:metadata.version(o) for o in ('numpy', 'ai-edge-litert')})))'''

def find_qemu():
    "Return program and version of QEMU; exits with the commands to install it if missing or too old."
    qemu = shutil.which('qemu-aarch64') or shutil.which('qemu-aarch64-static')
    text = subprocess.run([qemu, '--version'], capture_output=True, text=True).stdout if qemu else ''
    found = re.search(r'version ((\d+)\S*)', text)
    if found and int(found[2])>=8: return qemu,found[1]
    what = f'of version {found[1]}, which crashes in LiteRT' if found else 'missing'
    commands = re.findall(r'^    (?:echo|apt-get) .*', __doc__, re.M)
    sys.exit('\n'.join([f'qemu-aarch64 is {what}: expected version 8 or later. Run as root:', *commands]))

def run(*command, **env):
    "Run `command` with additional environment variables; exits with the end of its output if it fails."
    command = [str(o) for o in command]
    res = subprocess.run(command, env=os.environ|env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if res.returncode: sys.exit(f'{" ".join(command)[:200]}: exit status {res.returncode}\n{res.stdout[-2000:]}')

def fetch_system(folder, mirror):
    "Unpack an ARM Python and its dependencies to `folder/root`."
    apt = folder/'apt'
    for o in ('state/lists/partial', 'cache/archives/partial'): (apt/o).mkdir(parents=True)
    (apt/'status').touch()
    (apt/'sources.list').write_text(f'deb [signed-by={keyring}] {mirror} bookworm main\n')
    (apt/'apt.conf').write_text(apt_conf.replace('FOLDER', str(apt)))
    config = dict(APT_CONFIG=str(apt/'apt.conf'))
    run('apt-get', 'update', **config)
    run('apt-get', 'install', '-y', '--download-only', '--no-install-recommends', 'python3.11', 'libstdc++6', **config)
    for o in sorted((apt/'cache/archives').glob('*.deb')): run('dpkg-deb', '-x', o, folder/'root')
    shutil.rmtree(apt)

def fetch_wheels(folder):
    "Unpack ARM wheels of `packages`, in the versions of this environment, to `folder/wheels`."
    newest = 36 # the C library of bookworm is 2.36
    tags = ['manylinux2014_aarch64', *(f'manylinux_2_{o}_aarch64' for o in range(17, newest+1))]
    run(sys.executable, '-m', 'pip', 'install', '-q', '--no-warn-conflicts', '--target', folder/'wheels',
        '--python-version', '3.11', '--only-binary=:all:', *(f'--platform={o}' for o in tags),
        *(f'{o}=={metadata.version(o)}' for o in packages))

def arm_system(work, mirror):
    "Return the folder with `root` and `wheels`; create it if it does not exist."
    done = work/'-'.join(['bookworm', *(f'{o}{metadata.version(o)}' for o in packages)])
    if done.exists(): return done
    missing = [o for o in ('apt-get', 'dpkg-deb') if not shutil.which(o)]
    if not Path(keyring).exists(): missing.append(keyring)
    if missing: sys.exit(f'{", ".join(missing)} missing: run this script on Debian, or on Ubuntu after '
                         '`apt-get install debian-archive-keyring`')
    work.mkdir(parents=True, exist_ok=True)
    print(f'Downloading an ARM Python to {done}', flush=True)
    with TemporaryDirectory(dir=work) as d:
        fetch_system(Path(d), mirror)
        fetch_wheels(Path(d))
        (Path(d)/'made').mkdir()
        for o in ('root', 'wheels'): (Path(d)/o).rename(Path(d)/'made'/o)
        (Path(d)/'made').rename(done)
    return done

def predicted(python, path, folder, file, side):
    "Run `file` on the images in `folder` with `python`; return the maps and a description of `python`."
    env = dict(PATH=os.environ['PATH']) # pass no other environment variables
    if path: env['PYTHONPATH'] = str(path)
    command = [*python, folder/'probe.py', file, folder/'images.npy', folder/f'{side}.npy']
    res = subprocess.run([str(o) for o in command], env=env, capture_output=True, text=True)
    if res.returncode: sys.exit(f'{file}: {side}: exit status {res.returncode}\n{res.stderr[-2000:]}')
    facts = json.loads(res.stdout.splitlines()[-1])
    return np.load(folder/f'{side}.npy'), dict(facts, xnnpack='XNNPACK' in res.stderr)

def compare(p, n, size, here, there):
    "Compare maps or logits from both machines, for the file in `p`."
    task,gap = get_task(p.meta['task']),np.abs(here.astype('float32')-there.astype('float32'))
    same,what = task.agree(there, here, p.output, task.tolerance.get(p.meta['precision'], .01))
    res = dict(pictures=n, size=list(size), same=what, equal=float(same.mean()), differ=int((~same).sum()))
    if p.meta['map']['kind']=='labels': res['classes'] = len(np.unique(here if p.output=='map' else here.argmax(-3)))
    if p.output=='map': return res
    res |= dict(max_abs=float(gap.max()), largest=float(np.abs(here).max()))
    if p.meta['map']['kind']!='labels': return res
    two = np.sort(np.moveaxis(here, -3, -1)[~same], -1)[:,-2:] # the two largest logits where classes differ
    return res | dict(lead=float(np.diff(two).max(initial=0)))

def both_sides(file, images, n, *pythons):
    "Run `file` on this machine and on ARM; return a row of the record and descriptions of both."
    p,file = predictor.Predictor(file),Path(file).resolve()
    if p.runtime!='litert': sys.exit(f'{file}: a file of {p.runtime}, expected a .tflite file')
    x = np.stack(camera_images(images, n, p.input_size))
    with TemporaryDirectory() as d:
        d = Path(d)
        shutil.copy(predictor.__file__, d/'predictor.py')
        (d/'probe.py').write_text(probe)
        np.save(d/'images.npy', x)
        maps,sides = zip(*[predicted(*o, d, file, side) for o,side in zip(pythons, ('here', 'there'))])
    about = {k:p.meta.get(k) for k in ('experiment', 'seed', 'weights_sha256', 'precision', 'output')}
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    return dict(file=file.name, sha256=sha256, **about, **compare(p, len(x), x.shape[1:3], *maps)), *sides

@call_parse
def main(
    files:Param('LiteRT files from `mobiledepth export`', str, nargs='+'),
    images:str='',   # Folder of images; empty: packaged street scenes
    n:int=4,         # Number of images
    out:str='',      # File of the record; empty: results/arm-litert.json
    work:str='',     # Folder for the ARM system; empty: a folder in the user's cache
    mirror:str='http://deb.debian.org/debian', # Mirror of Debian
):
    "Run files on an emulated Cortex-A72 and on this machine, compare them, and write a record."
    qemu,version = find_qemu()
    arm = arm_system(Path(work).resolve() if work else cache_dir('arm'), mirror)
    there = [qemu, '-cpu', cpu, '-L', arm/'root', arm/'root/usr/bin/python3.11'], arm/'wheels'
    rows = []
    for file in files:
        row,host,guest = both_sides(file, images or None, n, ([sys.executable], None), there)
        if guest['machine']!='aarch64': sys.exit(f'the emulated machine is {guest["machine"]}, expected aarch64')
        rows.append(row)
        total = row['pictures']*row['size'][0]*row['size'][1]
        logits = ''
        if 'max_abs' in row: logits = f'; logits by up to {row["max_abs"]:.2g} (largest {row["largest"]:.3g})'
        print(f'{row["file"]}: {row["differ"]} of {total} pixels differ{logits}', flush=True)
    record = dict(experiment='arm-litert', kind='arm', files=rows, least=least, emulator=dict(qemu=version, cpu=cpu),
                  here=host, there=guest, commits=[git_commit(repo)], versions=versions())
    write_record(Path(out or repo/'results'/'arm-litert.json'), record)
    few = [r['file'] for r in rows if r['equal']<least.get(r['precision'], .999)]
    if few: sys.exit(f'{", ".join(few)}: too few pixels agree')
