// What the listener costs by itself: server CPU per request, per delivered watch event, and memory
// per idle connection, with a handler that does nothing.
//
//   http_bench serve PORT [CERT KEY [CLIENT_CA]]    serves until Enter is pressed (for wrk, curl)
//
// Paths: /small (3 KB), /large (512 KB, compressible), /echo, /endless (a stream without end).
#include <fmt/format.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "apiserver/net/server.h"
#include "base/real_runtime.h"

namespace kulisse::apiserver::net {
namespace {

class EndlessSource final : public BodySource {
 public:
  State Read(std::string* out) override {
    out->append(64 * 1024, 'x');
    return State::kMore;
  }
  void SetWaker(std::function<void()>) override {}
};

class WaitingSource final : public BodySource {
 public:
  State Read(std::string*) override { return State::kWait; }
  void SetWaker(std::function<void()>) override {}
};

class BenchHandler final : public HttpHandler {
 public:
  HttpResponse Handle(HttpRequest request) override {
    HttpResponse response;
    response.headers.emplace_back("Content-Type", "application/json");
    if (request.path() == "/large") {
      for (int i = 0; i < 32'768; ++i) response.body += fmt::format("{{\"item\":{:5}}}", i);
      response.compressible = true;
    } else if (request.path() == "/echo") {
      response.body = std::move(request.body);
    } else if (request.path() == "/who") {
      response.body =
          request.client_certificate ? request.client_certificate->common_name : "anonymous";
      response.body += request.client_certificate_invalid ? " invalid\n" : "\n";
    } else if (request.path() == "/endless") {
      response.stream = std::make_unique<EndlessSource>();
    } else if (request.path() == "/wait") {
      response.stream = std::make_unique<WaitingSource>();
    } else {
      response.body = small_;
    }
    return response;
  }

 private:
  const std::string small_ = std::string(3'000, 's');
};

int Serve(int argc, char** argv) {
  BenchHandler handler;
  RealRuntime runtime(1);
  ServerOptions options;
  options.port = static_cast<uint16_t>(std::atoi(argv[2]));
  if (argc >= 5) options.tls = TlsFiles{argv[3], argv[4], argc >= 6 ? argv[5] : ""};
  auto server = Server::Start(options, handler, {}, runtime);
  if (!server) {
    std::cerr << server.error() << "\n";
    return 1;
  }
  std::cout << "port " << (*server)->port() << ", Enter stops" << std::endl;
  std::cin.get();
  return 0;
}

}  // namespace
}  // namespace kulisse::apiserver::net

int main(int argc, char** argv) {
  if (argc >= 3 && std::string_view(argv[1]) == "serve") {
    return kulisse::apiserver::net::Serve(argc, argv);
  }
  std::cerr << "usage: http_bench serve PORT [CERT KEY [CLIENT_CA]]\n";
  return 2;
}
