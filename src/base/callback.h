// SPDX-License-Identifier: Apache-2.0
// What std::function is, save that it can't be copied and needs no allocation for what callbacks usually
// capture: a shared_ptr that keeps the callee, and a number or two. Thread: whichever calls. Owns: the
// function.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace tidegate {

template <typename Signature>
class Callback;

template <typename R, typename... Args>
class Callback<R(Args...)> {
 public:
  Callback() = default;
  template <typename F>
  requires(!std::is_same_v<std::decay_t<F>, Callback>)
      Callback(F&& function) {  // NOLINT(google-explicit-constructor)
    using Function = std::decay_t<F>;
    if constexpr (sizeof(Function) <= kRoom && std::is_nothrow_move_constructible_v<Function>) {
      hold<Function>(std::forward<F>(function));
    } else {
      auto far = [function = std::make_unique<Function>(std::forward<F>(function))](Args... args) -> R {
        return (*function)(std::forward<Args>(args)...);
      };
      hold<decltype(far)>(std::move(far));
    }
  }
  Callback(Callback&& other) noexcept { take(other); }
  Callback& operator=(Callback&& other) noexcept {
    if (this != &other) {
      clear();
      take(other);
    }
    return *this;
  }
  ~Callback() { clear(); }

  explicit operator bool() const { return actions_ != nullptr; }
  R operator()(Args... args) const { return actions_->call(room_, std::forward<Args>(args)...); }

 private:
  static constexpr std::size_t kRoom = 48;
  struct Actions {
    R (*call)(void* function, Args&&... args);
    void (*move)(void* from, void* to);  // and destroys what is left
    void (*destroy)(void* function);
  };

  template <typename Function>
  static constexpr Actions kActions = {
      [](void* function, Args&&... args) -> R {
        return (*static_cast<Function*>(function))(std::forward<Args>(args)...);
      },
      [](void* from, void* to) {
        auto* function = static_cast<Function*>(from);
        ::new (to) Function(std::move(*function));
        function->~Function();
      },
      [](void* function) { static_cast<Function*>(function)->~Function(); }};

  template <typename Function, typename F>
  void hold(F&& function) {
    ::new (static_cast<void*>(room_)) Function(std::forward<F>(function));
    actions_ = &kActions<Function>;
  }
  void take(Callback& other) {
    actions_ = std::exchange(other.actions_, nullptr);
    if (actions_ != nullptr) actions_->move(other.room_, room_);
  }
  void clear() {
    if (const auto* actions = std::exchange(actions_, nullptr)) actions->destroy(room_);
  }

  const Actions* actions_ = nullptr;
  alignas(std::max_align_t) mutable std::byte room_[kRoom];
};

}  // namespace tidegate
