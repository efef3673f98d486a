"""The servers that tests run against: Kulisse, started here; the reference; or any other."""
import base64
import http.client
import os
import re
import shutil
import ssl
import subprocess
import tempfile
import time

READY_TIMEOUT_S = 60
REQUEST_TIMEOUT_S = 60
# Users of the static token file, in kube-apiserver's format. alice may nothing.
TOKENS = 'root-token,root,u-root,"system:masters"\nalice-token,alice,u-alice,"dev"\n'


class Server:
    """A running server: where it is and how to prove who asks. Threads: any."""

    def __init__(self, kubeconfig, host, port, ca, certificate, key):
        self.kubeconfig = kubeconfig
        self.host, self.port = host, port
        self._ca, self._certificate, self._key = ca, certificate, key

    def connect(self, identity):
        """identity: "admin" (client certificate), "anonymous", or a token's user."""
        context = ssl.create_default_context(cafile=self._ca)
        if identity == "admin":
            context.load_cert_chain(self._certificate, self._key)
        return http.client.HTTPSConnection(self.host, self.port, context=context,
                                           timeout=REQUEST_TIMEOUT_S)

    def get(self, target):
        connection = self.connect("admin")
        try:
            connection.request("GET", target)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def from_kubeconfig(path, folder):
    """Reads the first cluster and user of a kubeconfig; files of certificates go to `folder`."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    url = re.search(r'server:\s*"?https://([^:/"\s]+):(\d+)', text)
    if not url:
        raise RuntimeError(f"{path}: no https server in it")
    files = []
    for name in ("certificate-authority", "client-certificate", "client-key"):
        match = re.search(rf'\b{name}(-data)?:\s*"?([^\s",}}]+)', text)
        if not match:
            raise RuntimeError(f"{path}: no {name}")
        if match.group(1):
            file_name = os.path.join(folder, name)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            with open(os.open(file_name, flags, 0o600), "wb") as file:
                file.write(base64.b64decode(match.group(2)))
            files.append(file_name)
        else:
            files.append(os.path.join(os.path.dirname(path), match.group(2)))
    return Server(path, url.group(1), int(url.group(2)), *files)


class Kulisse:
    """Starts the program on a free port, with files of its own. Use with `with`."""

    def __init__(self, program, arguments, in_memory=True):
        self._program = program
        self._arguments = list(arguments) + (["--in-memory"] if in_memory else [])
        self._folder = tempfile.mkdtemp(prefix="kulisse-test-")
        self._process = None

    def __enter__(self):
        kubeconfig = os.path.join(self._folder, "kubeconfig")
        tokens = os.path.join(self._folder, "tokens.csv")
        self._log = os.path.join(self._folder, "log")
        with open(tokens, "w", encoding="utf-8") as file:
            file.write(TOKENS)
        command = [self._program, "serve", "--data-dir", os.path.join(self._folder, "data"),
                   "--port", "0", "--kubeconfig", kubeconfig,
                   "--token-auth-file", tokens] + self._arguments
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            return self._wait_ready(kubeconfig)
        except BaseException:
            self.__exit__()
            raise

    def _wait_ready(self, kubeconfig):
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                server = from_kubeconfig(kubeconfig, self._folder)
                if server.get("/readyz")[0] == 200:
                    return server
            except (OSError, RuntimeError, http.client.HTTPException):
                pass
            time.sleep(0.02)
        with open(self._log, encoding="utf-8", errors="replace") as log:
            raise RuntimeError(f"{self._program} is not ready; it said:\n{log.read()}")

    def __exit__(self, *_):
        code = self._process.poll()
        if code is None:
            self._process.terminate()
            try:
                code = self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                code = "killed: it did not stop within 10 s"
        with open(self._log, encoding="utf-8", errors="replace") as log:
            said = log.read()
        shutil.rmtree(self._folder, ignore_errors=True)
        if code != 0:
            print(f"{self._program} ended with {code}; it said:\n{said[-8000:]}")
        self.exit_code = code


class Reference:
    """A fresh real control plane from a folder with up.sh and down.sh, without controllers and
    scheduler, with our token file. Use with `with`."""

    def __init__(self, scripts, port, options):
        self._scripts, self._port, self._options = scripts, port, list(options)
        self._folder = tempfile.mkdtemp(prefix="reference-test-")

    def __enter__(self):
        programs = os.environ.get("REF_BIN", os.path.expanduser("~/.cache/reference/bin"))
        shims = os.path.join(self._folder, "bin")
        os.mkdir(shims)
        for name in os.listdir(programs):
            if name != "kube-apiserver":
                os.symlink(os.path.join(programs, name), os.path.join(shims, name))
        tokens = os.path.join(self._folder, "tokens.csv")
        with open(tokens, "w", encoding="utf-8") as file:
            file.write(TOKENS)
        shim = os.path.join(shims, "kube-apiserver")
        with open(shim, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nexec "{programs}/kube-apiserver" '
                       f'--token-auth-file "{tokens}" "$@"\n')
        os.chmod(shim, 0o755)
        self._run("up.sh", "--port", str(self._port), "--no-controllers", "--no-scheduler",
                  *self._options, REF_BIN=shims)
        return from_kubeconfig(os.path.join(self._folder, "run", "kubeconfig"), self._folder)

    def _run(self, script, *arguments, **environment):
        subprocess.run(["bash", os.path.join(self._scripts, script),
                        os.path.join(self._folder, "run"), *arguments],
                       check=True, stdout=subprocess.DEVNULL, env={**os.environ, **environment})

    def __exit__(self, *_):
        self._run("down.sh")
        shutil.rmtree(self._folder, ignore_errors=True)
