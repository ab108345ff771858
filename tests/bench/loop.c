/* The hot loop of the bench: sends prepared frames at their time, reads what every seat gets, books each note once.

   A note is known by its mark ~N########~ wherever it stands in a frame, so one loop serves every protocol. Seats of
   ZoomCafe also answer as our pages do (`speaks`): `seen` from the handler of a message, at once when half the window is
   unconfirmed, else at most once a second; and the frames of the stream they watch must continue each other.
   A seat at a table below 0 is the moderator's, whose pages may show any note: nothing is booked there.
   Times are seconds of CLOCK_MONOTONIC. Called from Python by loop.py; it holds no state but `Run`. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MARK 11 /* ~N12345678~ */
#define ROOM 65536
#define WORDS 400
#define CLOSE 5 /* frames of the stream a seat watches, of which the least time they take is kept */
#define QUIET 15.0 /* after so many seconds without a word a page says that it is there */

typedef struct {
  uint8_t *bytes;
  size_t used, size;
} Buffer;

typedef struct {
  int fd, table, place, ended, waits;
  Buffer in, out;
  char stream[40]; /* the one it watches, as it stands in a frame */
  int64_t cursor, handled, told;
  double told_at, spoke_at, heard[CLOSE]; /* the moments of the last frames of its stream, in turn */
  int64_t heard_count;
} Seat;

typedef struct {
  int64_t delivered, booked, doubled, stray, gaps, acks, refusals, note_frames, note_bytes, other_frames, other_bytes,
      ended, close_code, sent, stream_frames, stream_bytes;
  double late;  /* the most by which a frame went out after its time: the generator's own delay */
  double close; /* the least time in which one seat got CLOSE frames of its stream; 0 where none did */
} Counts;

typedef struct {
  int seats, epoll, notes, first_mark, first_booked, speaks, window, next, waiting;
  Seat *seat;
  const double *due;
  const int32_t *sender;
  const uint8_t *frames;
  const uint64_t *offset;
  uint64_t *reached;  /* per note: a bit for each place */
  double *latency;    /* per delivery, from the intended time of sending */
  double *acked;      /* per note, likewise; negative without an answer */
  double start;
  Counts counts;
  char refusal[WORDS];
} Run;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void make_room(Buffer *buffer, size_t more) {
  if (buffer->size - buffer->used >= more) return;
  size_t size = (buffer->used + more) * 2;
  uint8_t *bytes = realloc(buffer->bytes, size);
  if (bytes == NULL) abort();
  buffer->bytes = bytes;
  buffer->size = size;
}

static void drop_front(Buffer *buffer, size_t count) {
  memmove(buffer->bytes, buffer->bytes + count, buffer->used - count);
  buffer->used -= count;
}

static void flush(Run *run, Seat *seat) {
  ssize_t sent = send(seat->fd, seat->out.bytes, seat->out.used, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent > 0) drop_front(&seat->out, (size_t)sent);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) seat->out.used = 0;
  if (seat->out.used == 0 && seat->waits) {
    seat->waits = 0;
    run->waiting--;
  }
}

static void say(Run *run, Seat *seat, const uint8_t *bytes, size_t count) {
  if (seat->ended) return;
  make_room(&seat->out, count);
  memcpy(seat->out.bytes + seat->out.used, bytes, count);
  seat->out.used += count;
  if (seat->waits) return;
  seat->waits = 1;
  run->waiting++;
  flush(run, seat);
}

/* One short client frame; its mask is zero, which is a mask like any other. */
static void say_short(Run *run, Seat *seat, int opcode, const char *text, size_t count) {
  uint8_t frame[140] = {(uint8_t)(0x80 | opcode), (uint8_t)(0x80 | count)};
  if (count > 125) return;
  memcpy(frame + 6, text, count);
  say(run, seat, frame, count + 6);
}

static void end(Run *run, Seat *seat, int code) {
  if (seat->ended) return;
  seat->ended = 1;
  run->counts.ended++;
  run->counts.close_code = code;
  epoll_ctl(run->epoll, EPOLL_CTL_DEL, seat->fd, NULL);
}

static void book(Run *run, Seat *seat, int64_t note, double at) {
  Counts *counts = &run->counts;
  if (note < 0 || note >= run->notes || run->seat[run->sender[note]].table != seat->table) {
    counts->stray++;
    return;
  }
  uint64_t place = 1ULL << seat->place;
  if (run->reached[note] & place) {
    counts->doubled++;
    return;
  }
  run->reached[note] |= place;
  counts->delivered++;
  if (note >= run->first_booked) run->latency[counts->booked++] = at - (run->start + run->due[note]);
}

static int digits(const uint8_t *at) {
  int value = 0;
  for (int i = 0; i < 8; i++) {
    if (at[i] < '0' || at[i] > '9') return -1;
    value = value * 10 + (at[i] - '0');
  }
  return value;
}

/* How many notes stand in the frame. */
static int notes_in(Run *run, Seat *seat, const uint8_t *at, size_t count, double moment) {
  const uint8_t *last = at + count;
  int found = 0;
  while ((at = memmem(at, (size_t)(last - at), "~N", 2)) != NULL && last - at >= MARK) {
    int mark = at[MARK - 1] == '~' ? digits(at + 2) : -1;
    if (mark >= 0) {
      book(run, seat, (int64_t)mark - run->first_mark, moment);
      found++;
    }
    at += 2;
  }
  return found;
}

static int64_t number_after(const uint8_t *text, size_t count, const char *name) {
  const char *found = memmem(text, count, name, strlen(name));
  return found == NULL ? -1 : strtoll(found + strlen(name), NULL, 10);
}

static void heard(Run *run, Seat *seat, double moment) {
  double *place = &seat->heard[seat->heard_count++ % CLOSE];
  double first = seat->heard[seat->heard_count % CLOSE], *least = &run->counts.close;
  *place = moment;
  if (seat->heard_count >= CLOSE && (*least == 0 || moment - first < *least)) *least = moment - first;
}

static void continues(Run *run, Seat *seat, const uint8_t *text, size_t count, double moment) {
  size_t head = count < 160 ? count : 160;
  if (!seat->stream[0] || memmem(text, head, seat->stream, strlen(seat->stream)) == NULL) return;
  run->counts.stream_frames++;
  run->counts.stream_bytes += (int64_t)count;
  heard(run, seat, moment);
  if (number_after(text, head, "\"from\":") > seat->cursor) run->counts.gaps++;
  int64_t to = number_after(text, head, "\"to\":");
  if (to > seat->cursor) seat->cursor = to;
}

static void confirm(Run *run, Seat *seat, double moment) {
  int64_t unsaid = seat->handled - seat->told;
  char text[60];
  if (unsaid * 2 >= run->window || (unsaid > 0 && moment - seat->told_at >= 1.0)) {
    int count = snprintf(text, sizeof text, "{\"t\":\"seen\",\"n\":%lld}", (long long)seat->handled);
    say_short(run, seat, 1, text, (size_t)count);
    seat->told = seat->handled;
    seat->told_at = seat->spoke_at = moment;
  } else if (moment - seat->spoke_at >= QUIET) {
    say_short(run, seat, 1, "{\"t\":\"ping\",\"c\":1}", 18);
    seat->spoke_at = moment;
  }
}

/* The last eight hex digits of an operation's id are the number of its note. */
static void answered(Run *run, const uint8_t *text, size_t count, double moment) {
  const char *id = memmem(text, count, "\"id\":\"", 6);
  if (id == NULL || (const uint8_t *)id + 42 > text + count) return;
  char word[9] = {0};
  memcpy(word, id + 6 + 28, 8);
  int64_t note = strtoll(word, NULL, 16);
  if (note >= 0 && note < run->notes && run->acked[note] < 0) run->acked[note] = moment - (run->start + run->due[note]);
}

static int begins(const uint8_t *text, size_t count, const char *with) {
  return count >= strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

static void hear(Run *run, Seat *seat, const uint8_t *text, size_t count, double moment) {
  Counts *counts = &run->counts;
  if (seat->table >= 0 && notes_in(run, seat, text, count, moment) > 0) {
    counts->note_frames++;
    counts->note_bytes += (int64_t)count;
  } else {
    counts->other_frames++;
    counts->other_bytes += (int64_t)count;
  }
  if (!run->speaks) return;
  if (begins(text, count, "{\"t\":\"parts\"")) {
    seat->handled++;
    continues(run, seat, text, count, moment);
  } else if (begins(text, count, "{\"t\":\"ack\"")) {
    counts->acks++;
    answered(run, text, count, moment);
  } else if (begins(text, count, "{\"t\":\"err\"")) {
    if (counts->refusals++ == 0) memcpy(run->refusal, text, count < WORDS ? count : WORDS - 1);
  }
  confirm(run, seat, moment);
}

static void read_frames(Run *run, Seat *seat, double moment) {
  size_t at = 0;
  while (seat->in.used - at >= 2) {
    const uint8_t *frame = seat->in.bytes + at;
    size_t left = seat->in.used - at, count = frame[1] & 127, head = 2;
    if (count == 126 || count == 127) {
      size_t more = count == 126 ? 2 : 8;
      if (left < 2 + more) break;
      count = 0;
      for (size_t i = 0; i < more; i++) count = count << 8 | frame[2 + i];
      head += more;
    }
    if (left < head + count) break;
    int opcode = frame[0] & 15;
    if (opcode == 8) end(run, seat, count >= 2 ? frame[head] << 8 | frame[head + 1] : 1005);
    else if (opcode == 9) say_short(run, seat, 10, (const char *)frame + head, count);
    else if (opcode <= 2) hear(run, seat, frame + head, count, moment);
    at += head + count;
  }
  drop_front(&seat->in, at);
}

static void receive(Run *run, Seat *seat) {
  while (!seat->ended) {
    make_room(&seat->in, ROOM);
    size_t room = seat->in.size - seat->in.used;
    ssize_t got = recv(seat->fd, seat->in.bytes + seat->in.used, room, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
      end(run, seat, 1006);
      return;
    }
    seat->in.used += (size_t)got;
    read_frames(run, seat, now());
    if ((size_t)got < room) return;
  }
}

Run *bench_new(int seats, const int32_t *fds, const int32_t *tables, const int32_t *places, int speaks, int window) {
  Run *run = calloc(1, sizeof *run);
  if (run == NULL || (run->seat = calloc((size_t)seats, sizeof(Seat))) == NULL) abort();
  run->seats = seats;
  run->speaks = speaks;
  run->window = window;
  run->epoll = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < seats; i++) {
    Seat *seat = &run->seat[i];
    seat->fd = fds[i];
    seat->table = tables[i];
    seat->place = places[i];
    seat->spoke_at = now();
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
    epoll_ctl(run->epoll, EPOLL_CTL_ADD, fds[i], &event);
  }
  return run;
}

/* What a seat had read and said before the loop took over: the bytes left, `parts` frames handled, its cursor. */
void bench_take_over(Run *run, int number, const uint8_t *rest, size_t count, int64_t handled, const char *stream,
                     int64_t cursor) {
  Seat *seat = &run->seat[number];
  make_room(&seat->in, count + ROOM);
  memcpy(seat->in.bytes, rest, count);
  seat->in.used = count;
  seat->handled = seat->told = handled;
  seat->cursor = cursor;
  snprintf(seat->stream, sizeof seat->stream, "%s", stream);
}

/* What is to be sent when. Notes before `first_booked` warm up: they must arrive, but their latency is not booked. */
void bench_plan(Run *run, int notes, int first_mark, int first_booked, const double *due, const int32_t *sender,
                const uint8_t *frames, const uint64_t *offset, uint64_t *reached, double *latency, double *acked,
                double start) {
  run->notes = notes;
  run->first_mark = first_mark;
  run->first_booked = first_booked;
  run->due = due;
  run->sender = sender;
  run->frames = frames;
  run->offset = offset;
  run->reached = reached;
  run->latency = latency;
  run->acked = acked;
  run->start = start;
  run->next = 0;
  memset(&run->counts, 0, sizeof run->counts);
  memset(run->refusal, 0, sizeof run->refusal);
}

static void send_due(Run *run, double moment) {
  for (int count = 0; count < 32 && run->next < run->notes; count++) {
    int note = run->next;
    double late = moment - (run->start + run->due[note]);
    if (late < 0) return;
    if (late > run->counts.late) run->counts.late = late;
    Seat *seat = &run->seat[run->sender[note]];
    say(run, seat, run->frames + run->offset[note], run->offset[note + 1] - run->offset[note]);
    seat->spoke_at = moment;
    run->counts.sent++;
    run->next++;
  }
}

static double time_left(const Run *run, double until, int64_t wanted) {
  double left = until - now();
  if (run->next < run->notes) {
    double next = run->start + run->due[run->next] - now();
    if (next < left) left = next;
  }
  double most = run->waiting ? 0.001 : wanted > 0 ? 0.02 : left;
  if (left > most) left = most;
  return left > 0 ? left : 0;
}

/* Until that moment, or until so many deliveries (acks, when no delivery is wanted) if `wanted` is positive. */
void bench_run(Run *run, double until, int64_t wanted, int of_acks) {
  struct epoll_event events[256];
  for (;;) {
    double moment = now();
    const Counts *counts = &run->counts;
    int64_t have = of_acks ? counts->acks + counts->refusals : counts->delivered;
    if (moment >= until || (wanted > 0 && have >= wanted)) return;
    send_due(run, moment);
    for (int i = 0; run->waiting && i < run->seats; i++)
      if (run->seat[i].waits) flush(run, &run->seat[i]);
    double left = time_left(run, until, wanted);
    struct timespec patience = {(time_t)left, (long)((left - (double)(time_t)left) * 1e9)};
    int count = epoll_pwait2(run->epoll, events, 256, &patience, NULL);
    for (int i = 0; i < count; i++) receive(run, &run->seat[events[i].data.u32]);
  }
}

void bench_counts(const Run *run, Counts *counts) { *counts = run->counts; }
const char *bench_refusal(const Run *run) { return run->refusal; }
int64_t bench_cursor(const Run *run, int seat) { return run->seat[seat].cursor; }
int bench_is_open(const Run *run, int seat) { return !run->seat[seat].ended; }

void bench_free(Run *run) {
  for (int i = 0; i < run->seats; i++) {
    free(run->seat[i].in.bytes);
    free(run->seat[i].out.bytes);
  }
  close(run->epoll);
  free(run->seat);
  free(run);
}
