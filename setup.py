"Pass the values in settings.ini to setuptools."
from configparser import ConfigParser
from pathlib import Path
from setuptools import find_packages, setup

here, suffix = Path(__file__).parent, '_requirements'
parser = ConfigParser(delimiters=['='])
parser.read(here/'settings.ini', encoding='utf-8')
cfg = parser['DEFAULT']

setup(
    name=cfg['lib_name'],
    version=cfg['version'],
    description=cfg['description'],
    long_description=(here/'README.md').read_text(encoding='utf-8') if (here/'README.md').exists() else cfg['description'],
    long_description_content_type='text/markdown',
    keywords=cfg['keywords'].split(),
    author=cfg['author'],
    license=cfg['license'],
    python_requires='>=' + cfg['min_python'],
    classifiers=[f'Programming Language :: Python :: {o}' for o in cfg['tested_python'].split()],
    packages=find_packages(include=[cfg['lib_path'], cfg['lib_path'] + '.*']),
    package_data={cfg['lib_path']: cfg['package_data'].split()},
    include_package_data=False,
    install_requires=cfg['requirements'].split(),
    extras_require={k[:-len(suffix)]: v.split() for k,v in cfg.items() if k.endswith(suffix)},
    entry_points={'console_scripts': cfg['console_scripts'].split()},
    zip_safe=False,
)
