// A reference to a callable, for continuations: it must outlive the call that it is passed to.
#pragma once

#include <type_traits>
#include <utility>

namespace kulisse::simulator::jq {

template <class Signature>
class FunctionRef;

template <class Result, class... Parameters>
class FunctionRef<Result(Parameters...)> {
 public:
  template <class Callable>
    requires(!std::is_same_v<std::remove_cv_t<Callable>, FunctionRef>)
  FunctionRef(Callable& callable)  // NOLINT: conversion is the point
      : object_(&callable), call_([](void* object, Parameters... parameters) -> Result {
          return (*static_cast<Callable*>(object))(std::forward<Parameters>(parameters)...);
        }) {}
  Result operator()(Parameters... parameters) const {
    return call_(object_, std::forward<Parameters>(parameters)...);
  }

 private:
  void* object_;
  Result (*call_)(void*, Parameters...);
};

}  // namespace kulisse::simulator::jq
