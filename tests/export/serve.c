/* Loads a SavedModel with the C++ loader that TF Serving uses, and answers requests: of each a letter, a length of 8
   bytes, and so many bytes: n, those of numbers; s, strings, each with its length before it; e, why it was refused.
   serve MODEL REQUEST -- REQUEST … with REQUEST = OUTPUT NAME TYPE SHAPE VALUES …, where TYPE is i, l, f or b (int32,
   int64, float, uint8), SHAPE 3,4 or empty, VALUES 1,2,3: they repeat until there are enough. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tensorflow/c/c_api.h"

#define MOST 8

static TF_Status* status;

static void check(const char* what) {
  if (TF_GetCode(status) != TF_OK) {
    fprintf(stderr, "%s: %s\n", what, TF_Message(status));
    exit(1);
  }
}

static TF_Output port(TF_Graph* graph, const char* name) {
  char operation[256];
  snprintf(operation, sizeof operation, "%s", name);
  char* colon = strchr(operation, ':');
  int index = 0;
  if (colon) { index = atoi(colon + 1); *colon = 0; }
  TF_Output found = {TF_GraphOperationByName(graph, operation), index};
  if (!found.oper) { fprintf(stderr, "no operation %s\n", operation); exit(1); }
  return found;
}

static TF_Tensor* tensor(char type, const char* shape, const char* values) {
  int64_t sizes[MOST];
  int rank = 0;
  size_t many = 1;
  while (*shape) {
    char* end;
    sizes[rank] = strtoll(shape, &end, 10);
    many *= (size_t)sizes[rank++];
    shape = *end ? end + 1 : end;
  }
  TF_DataType kind = type == 'i' ? TF_INT32 : type == 'l' ? TF_INT64 : type == 'f' ? TF_FLOAT : TF_UINT8;
  TF_Tensor* made = TF_AllocateTensor(kind, sizes, rank, many * TF_DataTypeSize(kind));
  void* data = TF_TensorData(made);
  const char* at = values;
  for (size_t i = 0; i < many; ++i) {
    char* end;
    double value = strtod(at, &end);
    if (type == 'i') ((int32_t*)data)[i] = (int32_t)value;
    else if (type == 'l') ((int64_t*)data)[i] = (int64_t)value;
    else if (type == 'f') ((float*)data)[i] = (float)value;
    else ((uint8_t*)data)[i] = (uint8_t)value;
    at = *end ? end + 1 : values;
  }
  return made;
}

static void told(char letter, const void* bytes, int64_t length) {
  putchar(letter);
  fwrite(&length, sizeof length, 1, stdout);
  fwrite(bytes, 1, (size_t)length, stdout);
}

static void answered(TF_Tensor* answer) {
  if (TF_TensorType(answer) != TF_STRING) {
    told('n', TF_TensorData(answer), (int64_t)TF_TensorByteSize(answer));
    return;
  }
  const TF_TString* strings = TF_TensorData(answer);
  int64_t count = TF_TensorElementCount(answer), length = 0;
  for (int64_t i = 0; i < count; ++i) length += 8 + (int64_t)TF_StringGetSize(&strings[i]);
  putchar('s');
  fwrite(&length, sizeof length, 1, stdout);
  for (int64_t i = 0; i < count; ++i) {
    int64_t size = (int64_t)TF_StringGetSize(&strings[i]);
    fwrite(&size, sizeof size, 1, stdout);
    fwrite(TF_StringGetDataPointer(&strings[i]), 1, (size_t)size, stdout);
  }
}

int main(int count, char** given) {
  status = TF_NewStatus();
  TF_Graph* graph = TF_NewGraph();
  TF_SessionOptions* options = TF_NewSessionOptions();
  const char* tags[] = {"serve"};
  TF_Session* session = TF_LoadSessionFromSavedModel(options, NULL, given[1], tags, 1, graph, NULL, status);
  check("load");
  for (int i = 2; i < count; ++i) {
    TF_Output inputs[MOST], output = port(graph, given[i++]);
    TF_Tensor* values[MOST];
    int number = 0;
    for (; i < count && strcmp(given[i], "--"); i += 4, ++number) {
      inputs[number] = port(graph, given[i]);
      values[number] = tensor(given[i + 1][0], given[i + 2], given[i + 3]);
    }
    TF_Tensor* answer = NULL;
    TF_SessionRun(session, NULL, inputs, values, number, &output, &answer, 1, NULL, 0, NULL, status);
    if (TF_GetCode(status) == TF_OK) answered(answer);
    else told('e', TF_Message(status), (int64_t)strlen(TF_Message(status)));
  }
  return 0;
}
