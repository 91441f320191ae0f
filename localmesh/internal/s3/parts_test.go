package s3_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// upload uploads contents as the parts of an object, and returns how it was completed.
func (w *world) upload(key string, algorithm types.ChecksumAlgorithm, kind types.ChecksumType, contents ...[]byte) *s3.CompleteMultipartUploadOutput {
	w.t.Helper()
	ctx, lake := w.t.Context(), aws.String("lake")
	made, err := w.owner.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: lake, Key: &key, ChecksumAlgorithm: algorithm, ChecksumType: kind})
	if err != nil {
		w.t.Fatal(err)
	}
	var parts []types.CompletedPart
	for i, c := range contents {
		p, err := w.owner.UploadPart(ctx, &s3.UploadPartInput{Bucket: lake, Key: &key, UploadId: made.UploadId, PartNumber: aws.Int32(int32(i + 1)),
			Body: bytes.NewReader(c), ChecksumAlgorithm: algorithm})
		if err != nil {
			w.t.Fatal(err)
		}
		parts = append(parts, types.CompletedPart{PartNumber: aws.Int32(int32(i + 1)), ETag: p.ETag, ChecksumCRC32: p.ChecksumCRC32, ChecksumCRC32C: p.ChecksumCRC32C,
			ChecksumCRC64NVME: p.ChecksumCRC64NVME, ChecksumSHA1: p.ChecksumSHA1, ChecksumSHA256: p.ChecksumSHA256})
	}
	done, err := w.owner.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: lake, Key: &key, UploadId: made.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
	if err != nil {
		w.t.Fatal(err)
	}
	return done
}

func TestPartsOfAnObject(t *testing.T) {
	w := newWorld(t)
	first, last := bytes.Repeat([]byte("a"), 5<<20), []byte("the end")
	done := w.upload("dir/k", types.ChecksumAlgorithmSha256, "", first, last)
	if !strings.HasPrefix(*done.Location, "http") || !strings.HasSuffix(*done.Location, "/dir/k") || !strings.Contains(*done.Location, "lake") {
		t.Errorf("location is %s", *done.Location)
	}
	if !strings.HasSuffix(aws.ToString(done.ChecksumSHA256), "-2") || done.ChecksumType != types.ChecksumTypeComposite {
		t.Errorf("checksum is %v %s", aws.ToString(done.ChecksumSHA256), done.ChecksumType)
	}
	lake, k := aws.String("lake"), aws.String("dir/k")
	out, err := w.owner.GetObject(t.Context(), &s3.GetObjectInput{Bucket: lake, Key: k, PartNumber: aws.Int32(2), ChecksumMode: types.ChecksumModeEnabled})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(out.Body)
	if err != nil || !bytes.Equal(body, last) || aws.ToInt32(out.PartsCount) != 2 ||
		aws.ToString(out.ContentRange) != fmt.Sprintf("bytes %d-%d/%d", len(first), len(first)+len(last)-1, len(first)+len(last)) {
		t.Errorf("part 2 is %q of %d parts, %s, %v", body, aws.ToInt32(out.PartsCount), aws.ToString(out.ContentRange), err)
	}
	head, err := w.owner.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: lake, Key: k, PartNumber: aws.Int32(1)})
	succeeded(t, err)
	if *head.ContentLength != int64(len(first)) || aws.ToInt32(head.PartsCount) != 2 {
		t.Errorf("part 1 has %d bytes of %d parts", *head.ContentLength, aws.ToInt32(head.PartsCount))
	}
	for n, code := range map[int32]string{3: "InvalidPartNumber", 0: "InvalidArgument", 10001: "InvalidArgument"} {
		_, err = w.owner.GetObject(t.Context(), &s3.GetObjectInput{Bucket: lake, Key: k, PartNumber: &n})
		status := http.StatusBadRequest
		if n == 3 {
			status = http.StatusRequestedRangeNotSatisfiable
		}
		refused(t, err, code, status)
	}
	_, err = w.owner.GetObject(t.Context(), &s3.GetObjectInput{Bucket: lake, Key: k, PartNumber: aws.Int32(1), Range: aws.String("bytes=0-1")})
	refused(t, err, "InvalidRequest", http.StatusBadRequest)
	// What was not uploaded in parts is one part, and does not say how many there are.
	w.put("whole", "rows")
	one, err := w.owner.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: lake, Key: aws.String("whole"), PartNumber: aws.Int32(1)})
	succeeded(t, err)
	if *one.ContentLength != 4 || one.PartsCount != nil {
		t.Errorf("%d bytes, %v parts", *one.ContentLength, one.PartsCount)
	}
}

func TestChecksumsOfUploads(t *testing.T) {
	w := newWorld(t)
	first, last := bytes.Repeat([]byte("a"), 5<<20), []byte("the end")
	lake := aws.String("lake")
	for _, tt := range []struct {
		algorithm types.ChecksumAlgorithm
		kind      types.ChecksumType
		want      types.ChecksumType
	}{
		{types.ChecksumAlgorithmCrc32, "", types.ChecksumTypeComposite}, {types.ChecksumAlgorithmCrc32, types.ChecksumTypeFullObject, types.ChecksumTypeFullObject},
		{types.ChecksumAlgorithmCrc32c, "", types.ChecksumTypeComposite}, {types.ChecksumAlgorithmSha1, types.ChecksumTypeComposite, types.ChecksumTypeComposite},
		{types.ChecksumAlgorithmSha256, "", types.ChecksumTypeComposite}, {types.ChecksumAlgorithmCrc64nvme, "", types.ChecksumTypeFullObject},
	} {
		key := string(tt.algorithm) + string(tt.kind)
		if done := w.upload(key, tt.algorithm, tt.kind, first, last); done.ChecksumType != tt.want {
			t.Errorf("%s is %s, want %s", key, done.ChecksumType, tt.want)
		}
		// The client checks what it can.
		out, err := w.owner.GetObject(t.Context(), &s3.GetObjectInput{Bucket: lake, Key: &key, ChecksumMode: types.ChecksumModeEnabled})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, out.Body); err != nil || n != int64(len(first)+len(last)) || out.ChecksumType != tt.want {
			t.Errorf("%s: %d bytes, %s, %v", key, n, out.ChecksumType, err)
		}
		attributes, err := w.owner.GetObjectAttributes(t.Context(), &s3.GetObjectAttributesInput{Bucket: lake, Key: &key,
			ObjectAttributes: types.ObjectAttributes("").Values()})
		if err != nil {
			t.Fatal(err)
		}
		if attributes.ObjectParts == nil || *attributes.ObjectParts.TotalPartsCount != 2 || *attributes.ObjectSize != int64(len(first)+len(last)) ||
			attributes.Checksum.ChecksumType != tt.want || (tt.want == types.ChecksumTypeComposite) != (len(attributes.ObjectParts.Parts) == 2) {
			t.Errorf("%s: attributes are %+v", key, attributes)
		}
	}
	for _, tt := range []struct {
		algorithm types.ChecksumAlgorithm
		kind      types.ChecksumType
	}{{types.ChecksumAlgorithmSha256, types.ChecksumTypeFullObject}, {types.ChecksumAlgorithmCrc64nvme, types.ChecksumTypeComposite},
		{"", types.ChecksumTypeComposite}, {types.ChecksumAlgorithmXxhash64, ""}} {
		_, err := w.owner.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: lake, Key: aws.String("x"), ChecksumAlgorithm: tt.algorithm, ChecksumType: tt.kind})
		refused(t, err, "InvalidRequest", http.StatusBadRequest)
	}
}

func TestCompletionsThatSayMore(t *testing.T) {
	w := newWorld(t)
	lake, k := aws.String("lake"), aws.String("k")
	made, err := w.owner.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: lake, Key: k, ChecksumAlgorithm: types.ChecksumAlgorithmSha256})
	succeeded(t, err)
	part, err := w.owner.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: lake, Key: k, UploadId: made.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("rows"),
		ChecksumAlgorithm: types.ChecksumAlgorithmSha256})
	succeeded(t, err)
	_, err = w.owner.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: lake, Key: k, UploadId: made.UploadId, PartNumber: aws.Int32(2), Body: strings.NewReader("rows"),
		ChecksumAlgorithm: types.ChecksumAlgorithmSha1})
	refused(t, err, "InvalidRequest", http.StatusBadRequest)
	complete := func(change func(*s3.CompleteMultipartUploadInput)) error {
		in := &s3.CompleteMultipartUploadInput{Bucket: lake, Key: k, UploadId: made.UploadId, MultipartUpload: &types.CompletedMultipartUpload{
			Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: part.ETag, ChecksumSHA256: part.ChecksumSHA256}}}}
		change(in)
		_, err := w.owner.CompleteMultipartUpload(t.Context(), in)
		return err
	}
	for code, change := range map[string]func(*s3.CompleteMultipartUploadInput){
		"InvalidRequest":   func(in *s3.CompleteMultipartUploadInput) { in.MpuObjectSize = aws.Int64(3) },
		"InvalidRequest ":  func(in *s3.CompleteMultipartUploadInput) { in.ChecksumType = types.ChecksumTypeFullObject },
		"InvalidRequest  ": func(in *s3.CompleteMultipartUploadInput) { in.MultipartUpload.Parts[0].ChecksumSHA256 = nil },
		"InvalidPart": func(in *s3.CompleteMultipartUploadInput) {
			in.MultipartUpload.Parts[0].ChecksumSHA256 = aws.String("AAAA")
		},
		"BadDigest":      func(in *s3.CompleteMultipartUploadInput) { in.ChecksumSHA256 = aws.String("AAAA-1") },
		"NoSuchKey":      func(in *s3.CompleteMultipartUploadInput) { in.IfMatch = aws.String(`"x"`) },
		"NotImplemented": func(in *s3.CompleteMultipartUploadInput) { in.IfNoneMatch = aws.String(`"x"`) },
	} {
		code = strings.TrimSpace(code)
		status := map[string]int{"NoSuchKey": 404, "NotImplemented": 501}[code]
		if status == 0 {
			status = http.StatusBadRequest
		}
		refused(t, complete(change), code, status)
	}
	if _, err := w.get(w.owner, "k"); err == nil {
		t.Error("the object is there already")
	}
	succeeded(t, complete(func(in *s3.CompleteMultipartUploadInput) { in.MpuObjectSize = aws.Int64(4) }))
	w.has("k", "rows")
	// A second completion writes nothing, whatever has become of the object.
	w.put("k", "newer")
	succeeded(t, complete(func(*s3.CompleteMultipartUploadInput) {}))
	w.has("k", "newer")
}

func TestPartsThatAreCopied(t *testing.T) {
	w := newWorld(t)
	lake, k := aws.String("lake"), aws.String("copy")
	body := bytes.Repeat([]byte("0123456789"), 600_000)
	_, err := w.owner.PutObject(t.Context(), &s3.PutObjectInput{Bucket: lake, Key: aws.String("big"), Body: bytes.NewReader(body)})
	succeeded(t, err)
	made, err := w.owner.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: lake, Key: k})
	succeeded(t, err)
	part := func(c *s3.Client, n int32, bytes string, change ...func(*s3.UploadPartCopyInput)) (*s3.UploadPartCopyOutput, error) {
		in := &s3.UploadPartCopyInput{Bucket: lake, Key: k, UploadId: made.UploadId, PartNumber: &n, CopySource: aws.String("lake/big")}
		if bytes != "" {
			in.CopySourceRange = &bytes
		}
		for _, f := range change {
			f(in)
		}
		return c.UploadPartCopy(t.Context(), in)
	}
	var parts []types.CompletedPart
	for n, r := range []string{"bytes=0-5242879", "bytes=5242880-5999999"} {
		out, err := part(w.owner, int32(n+1), r)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, types.CompletedPart{PartNumber: aws.Int32(int32(n + 1)), ETag: out.CopyPartResult.ETag})
	}
	for _, r := range []string{"bytes=0-", "bytes=-5", "bytes=5-4", "bytes=0-6000000", "0-5", "bytes=a-b"} {
		_, err := part(w.owner, 3, r)
		refused(t, err, "InvalidArgument", http.StatusBadRequest)
	}
	_, err = part(w.owner, 3, "", func(in *s3.UploadPartCopyInput) { in.CopySourceIfMatch = aws.String(`"x"`) })
	refused(t, err, "PreconditionFailed", http.StatusPreconditionFailed)
	_, err = part(w.owner, 3, "", func(in *s3.UploadPartCopyInput) { in.CopySource = aws.String("lake/none") })
	refused(t, err, "NoSuchKey", http.StatusNotFound)
	_, err = part(w.owner, 3, "", func(in *s3.UploadPartCopyInput) { in.UploadId = aws.String("none") })
	refused(t, err, "NoSuchUpload", http.StatusNotFound)
	_, err = part(w.owner, 3, "", func(in *s3.UploadPartCopyInput) { in.ExpectedSourceBucketOwner = aws.String(other) })
	refused(t, err, "AccessDenied", http.StatusForbidden)
	writer := w.as(w.role(owner, "Writer", document(`{"Effect":"Allow","Action":["s3:PutObject"],"Resource":"*"}`)))
	_, err = part(writer, 3, "")
	refused(t, err, "AccessDenied", http.StatusForbidden)
	_, err = w.owner.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{Bucket: lake, Key: k, UploadId: made.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
	succeeded(t, err)
	w.has("copy", string(body))
}

func TestVersionsOfABucketWithoutVersions(t *testing.T) {
	w := newWorld(t)
	for _, k := range []string{"a", "b/1", "b/2", "c", "d"} {
		w.put(k, k)
	}
	lake := aws.String("lake")
	var got []string
	pages := s3.NewListObjectVersionsPaginator(w.owner, &s3.ListObjectVersionsInput{Bucket: lake, MaxKeys: aws.Int32(2), Delimiter: aws.String("/")})
	for pages.HasMorePages() {
		out, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range out.Versions {
			if *v.VersionId != "null" || !*v.IsLatest {
				t.Errorf("version is %s, %v", *v.VersionId, *v.IsLatest)
			}
			got = append(got, *v.Key)
		}
		for _, p := range out.CommonPrefixes {
			got = append(got, *p.Prefix)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, []string{"a", "b/", "c", "d"}) {
		t.Errorf("versions are %v", got)
	}
	lister := w.as(w.role(owner, "Lister", document(`{"Effect":"Allow","Action":["s3:ListBucket"],"Resource":"*"}`)))
	_, err := lister.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: lake})
	refused(t, err, "AccessDenied", http.StatusForbidden)
	// So is a bucket emptied by those who know of versions.
	_, err = w.owner.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: lake, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: aws.String("a"), VersionId: aws.String("null")}}}})
	succeeded(t, err)
	if _, err := w.get(w.owner, "a"); err == nil {
		t.Error("a is still there")
	}
}
