"""Serves the working folder on localhost with TLS (certificate.pem, key.pem), and /down, which redirects to
the same file without TLS. Prints the port."""

import http.server
import ssl
import threading


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def do_GET(self):
        if self.path != "/down":
            return super().do_GET()
        self.send_response(302)
        self.send_header("Location", f"http://localhost:{plain.server_port}/x.pt")
        self.send_header("Content-Length", "0")
        self.end_headers()


plain = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=plain.serve_forever, daemon=True).start()
encrypted = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("certificate.pem", "key.pem")
encrypted.socket = context.wrap_socket(encrypted.socket, server_side=True)
print(encrypted.server_port, flush=True)
encrypted.serve_forever()
