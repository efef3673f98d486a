// ResponseEncoder turns an answer into the bytes of HTTP/1.1, a piece at a time: head, length or
// chunks, gzip. It decides these only when it must: a stream that ends at its first piece gets a
// length, one that is compressible waits until it is known to be large.
//
// Owns: the answer and its source while it is being sent.
// Threads: one at a time (the connection's loop).
// Errors: what the source throws passes through; the connection must then be closed.
// Limits: about kResponseChunkBytes per piece.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "apiserver/http.h"
#include "apiserver/net/gzip.h"

namespace kulisse::apiserver::net {

// What the request says about the form of its answer.
struct AnswerForm {
  bool http11 = true;
  bool keep_alive = true;
  bool accepts_gzip = false;
  bool head_only = false;  // HEAD: no body, whatever the handler gave
};

class ResponseEncoder {
 public:
  // `date` is the Date header's value; the text must stay until the head is out (the first Next()
  // that gives bytes), so it is copied. REQUIRES: neither deferred nor held back.
  void Start(HttpResponse response, const AnswerForm& form, std::string_view date);

  // Puts the next piece into *out, which must be empty. kMore: call again when it is written, also
  // when it is empty. kWait: the source has nothing now. kEnd: the answer is whole.
  // `ending`: a source that waits is ended instead (the server stops).
  BodySource::State Next(std::string* out, bool ending);

  // Whether the connection may serve another request after this answer.
  [[nodiscard]] bool keep_alive() const { return form_.keep_alive; }
  // Drops the answer and its source.
  void Reset();

 private:
  enum class Framing : uint8_t {
    kUndecided,
    kLength,
    kChunked,
    kUntilClose,  // streams for HTTP/1.0
    kMessages,    // a WebSocket
  };

  BodySource::State Decide(std::string* out, bool ending);
  BodySource::State NextPlain(std::string* out, bool ending);
  BodySource::State NextGzip(std::string* out, bool ending);
  BodySource::State NextMessages(std::string* out, bool ending);
  BodySource::State Read(std::string* out, bool ending);
  void WriteHead(std::string* out, size_t length);
  size_t OpenChunk(std::string* out) const;
  void CloseChunk(std::string* out, size_t mark) const;

  HttpResponse response_;
  AnswerForm form_;
  std::string date_;
  Framing framing_ = Framing::kUndecided;
  bool body_pending_ = false;  // the head is out, a large body follows as its own piece
  std::string raw_;            // read from the source, not sent yet
  std::unique_ptr<Gzip> gzip_;
};

}  // namespace kulisse::apiserver::net
