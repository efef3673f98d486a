// The objects that a new cluster has before anybody made one: namespaces, priority classes, the
// kubernetes service, roles, flow schemas and so on. They are data (bootstrap.jsonl, one object a
// line, facts of kube-apiserver 1.36), created at each start where they are missing. Endpoints of
// the kubernetes service follow the address of the server.
//
// Threads: one, before requests are served.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apiserver/registry/resource_store.h"

namespace kulisse::apiserver {

struct BootstrapOptions {
  std::string address;  // of the API server, for the endpoints of the kubernetes service
  uint16_t port = 0;
  std::vector<std::string> service_ranges = {"10.96.0.0/16"};  // that IpRange parses
  std::string client_ca = {};                                  // PEM; "": no client certificates
};

// Errors are bugs of the data (tested), but for a store that cannot write.
void CreateBootstrapObjects(ResourceStore& store, const BootstrapOptions& options);

}  // namespace kulisse::apiserver
