package dev.millpond.admission;

import dev.millpond.queue.QueueName;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The rooms of all queues in one account. When the account is closed, whatever was reserved in
 * these books is not written any more, and new ones begin.
 *
 * @param total the room of the whole service
 */
record Books(UUID account, Room total, Map<QueueName, Room> rooms) {

  static Books of(UUID account) {
    return new Books(account, new Room(), new ConcurrentHashMap<>());
  }

  Room room(QueueName queue) {
    return rooms.computeIfAbsent(queue, name -> new Room());
  }

  /** Jobs came or went. */
  void change(QueueName queue, int waiting, int runnable) {
    room(queue).change(waiting, runnable);
    total.change(waiting, runnable);
  }
}
