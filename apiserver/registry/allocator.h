// Allocator gives the objects of one kind what must be theirs alone in the whole cluster, such as
// the addresses of services. Upstream: BeginCreate, BeginUpdate and AfterDelete of a store.
//
// Threads: any, at the same time.
#pragma once

#include <memory>

#include "base/json/value.h"
#include "base/result.h"

namespace kulisse::apiserver {

struct RequestContext;

class Allocator {
 public:
  // What was given for one write. Unless kept, it is given back when the claim is destroyed.
  class Claim {
   public:
    virtual ~Claim() = default;
    // The write succeeded.
    virtual void Keep() = 0;
  };

  virtual ~Allocator() = default;

  // Completes an object that is about to be written, after its defaults and before it is
  // validated. `old`: null for a create. Errors are the answer to the client.
  virtual Result<std::unique_ptr<Claim>> Allocate(const RequestContext& context,
                                                  json::Document& object,
                                                  const json::Value* old) = 0;
  // The object is gone: gives back what it had.
  virtual void Release(const json::Value& object) = 0;
};

}  // namespace kulisse::apiserver
